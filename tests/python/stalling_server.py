# An S3 server over a directory, as much of one as a test needs that lets requests wait: each one is asked about first.
#
# StallingServer(directory, stall): `stall(method, key, offset)` says whether a request is never answered (until close()); offset: of
# a ranged GET, 0 else; the key of a LIST is its prefix. What it raises is answered as HTTP status int(error).
import hashlib
import http.server
import os
import threading
import urllib.parse
from xml.sax.saxutils import escape

from . import support

HOUR = 3_600_000
BASE = 1_795_392_000_000  # 2026-11-23T00:00:00Z


class Refused(Exception):
    """Answered with this HTTP status."""


class StallingServer:
    BUCKET = "test"

    def __init__(self, directory, stall=lambda method, key, offset: False):
        self.directory, self.stall = directory, stall
        self.stalled = threading.Event()  # a request waits
        self.log = []  # (method, key, offset)
        self._closing = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                owner._answer(self)

            do_PUT = do_HEAD = do_GET

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # the client hung up: that is what these tests make it do

        self._server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = "http://127.0.0.1:%d" % self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def location(self, prefix=""):
        return "s3://%s%s" % (self.BUCKET, "/" + prefix if prefix else "")

    def _answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        key = urllib.parse.unquote(url.path)[len(self.BUCKET) + 2:]
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        listing = not key and "list-type" in query
        wanted = (request.headers.get("Range") or "bytes=0-").split("=")[1].split("-")
        method, name, offset = "LIST" if listing else request.command, query.get("prefix", "") if listing else key, int(wanted[0])
        self.log.append((method, name, offset))
        try:
            if self.stall(method, name, offset):
                self.stalled.set()
                self._closing.wait()
                return
        except Refused as error:
            return self._send(request, int(str(error)), b"")
        if listing:
            return self._send(request, 200, self._list(name, query.get("start-after", "")))
        path = os.path.join(self.directory, key)
        if request.command == "PUT":
            if os.path.exists(path):
                return self._send(request, 412, b"")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(body)
            return self._send(request, 200, b"", ETag='"%s"' % self._etag(path))
        if not os.path.isfile(path):
            return self._send(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")
        size = os.path.getsize(path)
        last = min(int(wanted[1] or size), size - 1)
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read(last + 1 - offset)
        self._send(request, 206, data, ETag='"%s"' % self._etag(path), **{"Content-Range": "bytes %d-%d/%d" % (offset, last, size)})

    @staticmethod
    def _etag(path):
        """Nothing here changes an object in place, so its inode stands for its bytes."""
        return hashlib.md5(b"%d" % os.stat(path).st_ino).hexdigest()

    def _list(self, prefix, after):
        found = []
        for folder, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(folder, name)
                key = os.path.relpath(path, self.directory)
                if key.startswith(prefix) and key > after:
                    found.append("<Contents><Key>%s</Key><Size>%d</Size><ETag>&quot;%s&quot;</ETag></Contents>"
                                 % (escape(urllib.parse.quote(key)), os.path.getsize(path), self._etag(path)))
        found.sort()
        return ("<?xml version='1.0'?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>%s"
                "</ListBucketResult>" % "".join(found)).encode()

    @staticmethod
    def _send(request, status, body, **headers):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


class ServedArchive(support.TimeseriesCase):
    """A file archive of two files that a server shows as the bucket `test`."""

    def setUp(self):
        super().setUp()
        for name, value in (("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_REGION", "us-east-1")):
            self.setenv(name, value)
        self.archive = self.path("archive")
        writer = self.connect(isolation_level=None)
        writer.execute("CREATE VIRTUAL TABLE temp.cpu USING timeseries(ts TIMESTAMP, host TEXT TAG, v REAL, note BLOB, "
                       "location='%s', partition='hour')" % self.file_location("archive"))
        # The second is larger than what is ever read as one.
        for hour, rows, note in ((0, 100, "NULL"), (1, 3000, "randomblob(4000)")):
            writer.execute("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%d) "
                           "INSERT INTO cpu SELECT ?+i*1000, 'a', i, %s FROM n" % (rows, note), (BASE + hour * HOUR,))
        support.flush(writer, "cpu")
        self.first, self.second = sorted(os.path.relpath(os.path.join(folder, name), self.archive)
                                         for folder, _, names in os.walk(self.archive) for name in names if name.endswith(".sqlite"))
        self.assertGreater(os.path.getsize(os.path.join(self.archive, self.second)), 8 << 20)

    def serve(self, stall):
        """`stall` as StallingServer takes it; the environment names the server."""
        server = StallingServer(self.archive, stall)
        self.addCleanup(server.close)
        self.setenv("AWS_ENDPOINT_URL_S3", server.endpoint)
        return server
