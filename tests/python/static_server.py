# A static web server of a directory: GET with one range, If-Match, and the validators that a test wants. Never a listing.
import http.server
import os
import re
import threading
import urllib.parse
from email.utils import formatdate


class StaticServer:
    """`validators`: 'strong', 'weak', 'time' or 'none'. `requests`: (path, If-Match) of each GET, as sent. `bytes_of(path)` may lie."""

    def __init__(self, directory, validators="strong"):
        self.directory, self.validators = directory, validators
        self.requests, self.missing = [], 404
        self.bytes_of = lambda path, data: data
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def paths(self):
        return [path for path, _ in self.requests]

    def answer(self, request):
        self.requests.append((request.path, request.headers.get("If-Match")))
        path = os.path.join(self.directory, urllib.parse.unquote(request.path).lstrip("/"))
        if not os.path.isfile(path):
            return self.reply(request, self.missing, {}, b"")
        with open(path, "rb") as f:
            data = self.bytes_of(request.path, f.read())
        etag = '"%s-%d-%d"' % (os.stat(path).st_mtime_ns, len(data), hash(data) & 0xffff)
        headers = {"strong": {"ETag": etag}, "weak": {"ETag": "W/" + etag},
                   "time": {"Last-Modified": formatdate(os.stat(path).st_mtime, usegmt=True)}, "none": {}}[self.validators]
        if request.headers.get("If-Match") not in (None, etag):
            return self.reply(request, 412, headers, b"")
        begin, end = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"]).groups()
        if int(begin) >= len(data):
            return self.reply(request, 416, dict(headers, **{"Content-Range": "bytes */%d" % len(data)}), b"")
        part = data[int(begin):int(end) + 1]
        headers["Content-Range"] = "bytes %s-%d/%d" % (begin, int(begin) + len(part) - 1, len(data))
        self.reply(request, 206, headers, part)

    def reply(self, request, status, headers, body):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
