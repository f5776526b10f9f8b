# Receives profiles from a webhook: `WEBHOOK_SECRET=whsec_… python3 docs/examples/receive.py [PORT]`.
import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

key = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
OLDEST_SECONDS = 300
versions = {}  # The newest version taken of each profile. Yours is a column beside what you store.
lock = Lock()


def is_ours(headers, body):
    """Over the bytes as they came: a body that was parsed and written again may differ."""
    sent = headers.get("webhook-timestamp", "")
    # An old one may be somebody's who has recorded it.
    if not sent.isdecimal() or abs(time.time() - int(sent)) > OLDEST_SECONDS:
        return False
    signed = f"{headers.get('webhook-id')}.{sent}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # One for each secret of the definition; ours is among them while another replaces it.
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)


def take(message):
    data = message["data"]
    profile_id = data["profile_id"]
    if message["type"] == "profile.erased":
        versions.pop(profile_id, None)
        print(profile_id, "erased", flush=True)
    elif data["version"] > versions.get(profile_id, 0):  # At least once: the same may come again, and then an older one.
        versions[profile_id] = data["version"]
        gone = f": gone into {data['into']}" if message["type"] == "profile.gone" else ""
        print(f"{profile_id} version {data['version']}{gone}", flush=True)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        ours = is_ours(self.headers, body)
        if ours:
            with lock:
                take(json.loads(body))
        # Only now: what was answered with 2xx does not come again.
        self.send_response(204 if ours else 401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 3000), Receiver).serve_forever()
