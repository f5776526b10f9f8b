# Follows the profile feed and says what changes: `python3 docs/examples/subscribe.py [GROUP]`.
import os
import signal
import sys

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

topic = os.environ.get("TRIBUTARY_PREFIX", "tributary.") + "profiles"
consumer = Consumer({
    "bootstrap.servers": os.environ.get("TRIBUTARY_KAFKA_BROKERS", "127.0.0.1:9092"),
    "group.id": sys.argv[1] if len(sys.argv) > 1 else "my-python-subscriber",
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    # Committed is what was stored, and stored is what the work is done for.
    "enable.auto.offset.store": False,
})

# Every record is read as today's schema has it: what an older one lacks has its default, what a newer one adds is left out.
registry = SchemaRegistryClient({
    "url": os.environ.get("TRIBUTARY_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7")
})
decode = AvroDeserializer(registry, registry.get_latest_version(f"{topic}-value").schema.schema_str)
context = SerializationContext(topic, MessageField.VALUE)

known = {}  # What is known of each profile. Yours is a table: keep the version in the row.


def take(message):
    profile_id = message.key().decode()
    before = known.get(profile_id)
    if message.value() is None:
        # The tombstone after the last value says nothing new; without that value before it, it is an erasure.
        known.pop(profile_id, None)
        if before and not before["gone"]:
            print(profile_id, "erased", flush=True)
        return
    profile = decode(message.value(), context)
    version = profile["version"]
    # After a crash of yours some records come again: (profile_id, version) is the key by which you know them.
    if before and version <= before["version"]:
        return
    known[profile_id] = profile
    if profile["gone"]:
        print(f"{profile_id} version {version}: gone into {profile['into']}", flush=True)
    else:
        why = ", ".join(profile["why"])
        print(f"{profile_id} version {version}: {profile['events']} events, because of {why}", flush=True)


stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)

consumer.subscribe([topic])
try:
    while not stopping:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        take(message)
        consumer.store_offsets(message)
finally:
    # Commits what is stored, and leaves the group, whose partitions others then take over at once.
    consumer.close()
