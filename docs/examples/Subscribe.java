// Follows the profile feed and says what changes: `java -cp 'lib/*' docs/examples/Subscribe.java [GROUP]`.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Subscribe {
  static final String TOPIC = setting("TRIBUTARY_PREFIX", "tributary.") + "profiles";

  /** What is known of a profile. Yours is a row of a table: keep the version in it. */
  record Known(long version, boolean gone) {}

  static final Map<String, Known> known = new HashMap<>();
  static volatile boolean stopping = false;

  public static void main(String[] args) throws Exception {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", setting("TRIBUTARY_KAFKA_BROKERS", "127.0.0.1:9092"),
        "group.id", args.length > 0 ? args[0] : "my-java-subscriber",
        "isolation.level", "read_committed",
        "auto.offset.reset", "earliest",
        "enable.auto.commit", false);
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      stopping = true;
      try {
        main.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }));
    // Closing leaves the group, whose partitions others then take over at once.
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(TOPIC));
      while (!stopping) {
        for (var record : consumer.poll(Duration.ofMillis(500))) take(record);
        consumer.commitSync(); // Only what the work is done for.
      }
    }
  }

  static void take(ConsumerRecord<String, byte[]> record) throws Exception {
    String profileId = record.key();
    Known before = known.get(profileId);
    if (record.value() == null) {
      // The tombstone after the last value says nothing new; without that value before it, it is an erasure.
      known.remove(profileId);
      if (before != null && !before.gone()) System.out.println(profileId + " erased");
      return;
    }
    GenericRecord profile = decode(record.value());
    long version = (Long) profile.get("version");
    boolean gone = (Boolean) profile.get("gone");
    // After a crash of yours some records come again: (profile_id, version) is the key by which you know them.
    if (before != null && version <= before.version()) return;
    known.put(profileId, new Known(version, gone));
    String why = ((List<?>) profile.get("why")).stream().map(Object::toString).collect(Collectors.joining(", "));
    String what = gone ? "gone into " + profile.get("into") : profile.get("events") + " events, because of " + why;
    System.out.println(profileId + " version " + version + ": " + what);
  }

  // The registry, without a library: a record is a zero, the id of the schema that it was written with in four bytes, and Avro.
  // It is read as today's schema has it: what an older one lacks has its default, what a newer one adds is left out.
  static final HttpClient http = HttpClient.newHttpClient();
  static final Map<String, Schema> schemas = new HashMap<>();

  static GenericRecord decode(byte[] value) throws Exception {
    var header = ByteBuffer.wrap(value);
    if (header.get() != 0) throw new IOException("this was not written with the registry");
    Schema writer = schema("/schemas/ids/" + header.getInt());
    Schema reader = schema("/subjects/" + TOPIC + "-value/versions/latest");
    var avro = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null);
    return new GenericDatumReader<GenericRecord>(writer, reader).read(null, avro);
  }

  static Schema schema(String path) throws Exception {
    Schema cached = schemas.get(path);
    if (cached != null) return cached;
    var uri = URI.create(setting("TRIBUTARY_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7") + path);
    var response = http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    if (response.statusCode() != 200) throw new IOException(uri + " says " + response.statusCode());
    var text = new ObjectMapper().readTree(response.body()).get("schema").asText();
    var schema = new Schema.Parser().parse(text);
    schemas.put(path, schema);
    return schema;
  }

  static String setting(String name, String otherwise) {
    return System.getenv().getOrDefault(name, otherwise);
  }
}
