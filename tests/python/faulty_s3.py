# A small S3 server on loopback that does what a test says: answers wrongly, too late, too long, twice or never.
#
# It is honest but for its faults: objects in memory, GET with Range and If-Match, PUT with If-None-Match, LIST version 2, DELETE. It looks
# at no signature. A fault is a function of an Exchange, asked for the requests that it names: it answers through the Exchange, or returns
# and leaves the request to the next fault and at last to the honest server.
import hashlib
import http.server
import threading
import urllib.parse
from xml.sax.saxutils import escape

XML = "application/xml"


def etag_of(data):
    return '"%s"' % hashlib.md5(data).hexdigest()


def error_xml(code, **more):
    inner = "".join("<%s>%s</%s>" % (k, escape(v), k) for k, v in more.items())
    return ("<?xml version='1.0'?><Error><Code>%s</Code>%s<Message>m</Message></Error>" % (code, inner)).encode()


class Answered(Exception):
    """An Exchange has been answered, or its connection is given up."""


class Exchange:
    """One request: what was asked, and the ways to answer."""

    def __init__(self, server, handler, body):
        self.server, self.handler, self.body = server, handler, body
        self.method, self.headers = handler.command, handler.headers
        path, _, query = handler.path.partition("?")
        self.path = urllib.parse.unquote(path)
        self.key = self.path.partition("/" + server.bucket + "/")[2]
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.kind = "LIST" if "list-type" in self.query else self.method

    def honest(self):
        """(status, headers, body) of a server without faults."""
        return self.server.honest(self)

    def reply(self, status, headers=None, body=b"", length=None, then_close=False):
        """`length`: the Content-Length that is said, False for none."""
        headers = dict(headers or {})
        if length is not False:
            headers["Content-Length"] = str(len(body) if length is None else length)
        if then_close or length is False:
            headers["Connection"] = "close"
        head = "HTTP/1.1 %d X\r\n%s\r\n" % (status, "".join("%s: %s\r\n" % h for h in headers.items()))
        self.send(head.encode("latin-1") + (b"" if self.method == "HEAD" else body))
        if then_close or length not in (None, len(body)):
            self.close()
        raise Answered

    def fail(self, status, code, headers=None, **more):
        self.reply(status, dict(headers or {}, **{"Content-Type": XML}), error_xml(code, **more))

    def send(self, data):
        try:
            self.handler.wfile.write(data)
            self.handler.wfile.flush()
        except OSError:
            self.close()

    def close(self):
        self.handler.close_connection = True
        raise Answered

    def hang(self):
        """Says nothing more until the client leaves or the test ends."""
        self.handler.connection.settimeout(0.1)
        while not self.server.leaving.is_set():
            try:
                if not self.handler.connection.recv(4096):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.close()


class FaultyS3:
    def __init__(self, bucket="test"):
        self.bucket, self.objects, self.faults, self.requests = bucket, {}, [], []
        self.lock, self.leaving = threading.Lock(), threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                outer.answer(self)

            do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = answer

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # a client that leaves in the middle is what tests are about

        self.http = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def authority(self):
        return "127.0.0.1:%d" % self.http.server_port

    @property
    def url(self):
        return "http://" + self.authority

    def close(self):
        self.leaving.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def fault(self, do, kind="GET", part="", skip=0, times=None):
        """`do` is asked for requests of a kind (GET, PUT, LIST, DELETE, * for any) whose key holds `part`: after `skip`, `times` times."""
        with self.lock:
            self.faults.append([do, kind, part, skip, times])

    def count(self, kind, part=""):
        with self.lock:
            return sum(k == kind and part in key for k, key in self.requests)

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        exchange = Exchange(self, handler, body)
        with self.lock:
            self.requests.append((exchange.kind, exchange.key))
            due = []
            for fault in self.faults:
                do, kind, part, skip, times = fault
                if kind not in ("*", exchange.kind) or part not in (exchange.key or exchange.path):
                    continue
                if skip:
                    fault[3] -= 1
                elif times is None or times:
                    if times:
                        fault[4] -= 1
                    due.append(do)
        try:
            for do in due:
                do(exchange)
            exchange.reply(*exchange.honest())
        except Answered:
            pass

    # ---- what an honest server says

    def honest(self, exchange):
        with self.lock:
            return getattr(self, "honest_" + exchange.kind.lower())(exchange)

    def honest_get(self, exchange):
        data = self.objects.get(exchange.key)
        if data is None:
            return 404, {"Content-Type": XML}, error_xml("NoSuchKey")
        if exchange.headers.get("If-Match", etag_of(data)) != etag_of(data):
            return 412, {"Content-Type": XML}, error_xml("PreconditionFailed")
        headers = {"ETag": etag_of(data), "Accept-Ranges": "bytes"}
        wanted = exchange.headers.get("Range")
        if not wanted:
            return 200, headers, data
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        first, last = int(first), min(int(last or len(data)), len(data) - 1)
        if first >= len(data):
            return 416, {"Content-Range": "bytes */%d" % len(data)}, error_xml("InvalidRange")
        headers["Content-Range"] = "bytes %d-%d/%d" % (first, last, len(data))
        return 206, headers, data[first:last + 1]

    def honest_put(self, exchange):
        if exchange.headers.get("If-None-Match") == "*" and exchange.key in self.objects:
            return 412, {"Content-Type": XML}, error_xml("PreconditionFailed")
        self.objects[exchange.key] = exchange.body
        return 200, {"ETag": etag_of(exchange.body)}, b""

    def honest_delete(self, exchange):
        self.objects.pop(exchange.key, None)
        return 204, {}, b""

    def honest_list(self, exchange):
        prefix, after = exchange.query.get("prefix", ""), exchange.query.get("start-after", "")
        keys = sorted(k for k in self.objects if k.startswith(prefix) and k > after)
        most = int(exchange.query.get("max-keys", "1000"))
        return 200, {"Content-Type": XML}, self.listing(keys[:most], len(keys) > most)

    def listing(self, keys, more):
        return ("<?xml version='1.0'?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>%s</IsTruncated>%s</ListBucketResult>"
                % ("true" if more else "false",
                   "".join("<Contents><Key>%s</Key><Size>%d</Size><ETag>%s</ETag></Contents>"
                           % (urllib.parse.quote(k), len(self.objects[k]), escape(etag_of(self.objects[k]))) for k in keys))).encode()
