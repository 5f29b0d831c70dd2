#!/usr/bin/env python3
"""A server that implements the part of the Hugging Face hub that is needed to fetch a model: the listing of a revision,
HEAD and GET of files (small files through a relative redirect, large files through a signed address of another host),
ranges, searches, refs, renamed models, rate limits, and error responses, with the header fields of the hub in 2026.
It can simulate faults.

    hub.py MODELS STATE [CERTIFICATE]

MODELS has a folder ORGANIZATION/NAME for each model. The server listens on two free ports of the local host, one for
the hub and one for its storage; with TLS if there is a CERTIFICATE, a file with the certificate and its key. When it is
ready, it writes `HUB_URL STORAGE_URL` to the file STATE/address. It writes a line for each request to STATE/log, and
exits at the end of its standard input. STATE/renames is a JSON object from former names of models to current ones.

STATE/faults, which is read at each request, is a JSON object that maps a part of a path to a fault:
  {"cut": N}           closes the connection after N bytes of the body
  {"status": S, "times": N, "headers": {…}}   responds with this status N times (always without "times")
  {"flip": N}          changes byte N of the body
  {"ignore_range": true}  ignores range requests
  {"slow": S}          sends the body in 16 parts and waits S seconds after each
  {"body": "…"}        sends this body instead
  {"extra": N}         appends N bytes to the body
  {"silent": S}        waits S seconds before the response
  {"chunked": true}    sends the body in chunks, followed by a trailer
  {"stall": N}         stops after N bytes of the body, for one hour
  {"rate": N}          sends N bytes a second on each connection
  {"location": "…"}    redirects to this address, in which PATH stands for the path and query of the request
  {"repeat": "…"}      sends a listing that repeats this element of "siblings" up to 32 MB
"""
import hashlib
import http.server
import json
import os
import re
import ssl
import sys
import threading
import time
import urllib.parse

MODELS, STATE = sys.argv[1:3]
CERTIFICATE = sys.argv[3] if len(sys.argv) > 3 else None
LARGE = 4096  # the minimum size of files in large file storage
TOKEN = "hf_secret"
served = {}  # the number of times that each fault was applied


def git_digest(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def files(model):
    root = os.path.join(MODELS, model)
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                yield os.path.relpath(path, root), file.read()


def commit(model):
    return hashlib.sha1(json.dumps(sorted((p, sha256(d)) for p, d in files(model))).encode()).hexdigest()


def entry(path, data, tree):
    """Returns a file's entry in a listing of a revision, or with `tree` in a listing of a folder."""
    if len(data) < LARGE:
        digest = git_digest(data)
        return {"type": "file", "path": path, "size": len(data), "oid": digest} if tree else {
            "rfilename": path, "size": len(data), "blobId": digest}
    pointer = git_digest(b"version https://git-lfs.github.com/spec/v1\n")
    if tree:
        return {"type": "file", "path": path, "size": len(data), "oid": pointer,
                "lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 134}}
    return {"rfilename": path, "size": len(data), "blobId": pointer,
            "lfs": {"sha256": sha256(data), "size": len(data), "pointerSize": 134}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        with open(os.path.join(STATE, "log"), "a") as log:
            log.write(json.dumps({
                "host": self.where, "method": self.command, "path": self.path, "range": self.headers.get("Range"),
                "token": self.headers.get("Authorization")}) + "\n")
        self.fault = self.find_fault()
        time.sleep(self.fault.get("silent", 0))
        if "repeat" in self.fault:
            entry = self.fault["repeat"]
            entries = ",".join(entry.replace("NUMBER", str(i)) for i in range(32_000_000 // (len(entry) + 1)))
            return self.send(('{"sha": "%s", "siblings": [%s]}' % ("0" * 40, entries)).encode())
        if "location" in self.fault:
            return self.redirect(302, self.fault["location"].replace("PATH", self.path), {})
        if "status" in self.fault:
            return self.refuse(self.fault["status"], self.fault.get("headers", {}))
        self.route(urllib.parse.urlsplit(self.path))

    def find_fault(self):
        try:
            with open(os.path.join(STATE, "faults")) as file:
                faults = json.load(file)
        except FileNotFoundError:
            return {}
        for part, fault in faults.items():
            if part in self.where + self.path:
                key = json.dumps([part, fault])
                served[key] = served.get(key, 0) + 1
                return fault if served[key] <= fault.get("times", 1 << 62) else {}
        return {}

    def refuse(self, status, headers):
        body = json.dumps({"error": headers.get("X-Error-Message", "no")}).encode()
        self.begin(status, headers)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status, headers):
        self.send_response(status)
        for name, value in {**self.common(), **headers}.items():
            self.send_header(name, value)

    def redirect(self, status, location, headers):
        body = ("Temporary Redirect. Redirecting to " + location).encode()
        self.begin(status, {"Location": location, "Vary": "Origin, Accept", **headers})
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send(self, data, headers={}):
        if "body" in self.fault:
            data = self.fault["body"].encode()
        start, end, status = 0, len(data), 200
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if requested and not self.fault.get("ignore_range"):
            start, status = int(requested[1]), 206
            end = min(end, int(requested[2]) + 1 if requested[2] else end)
            if start >= len(data):
                return self.refuse(416, {"Content-Range": "bytes */%d" % len(data)})
        total = len(data)
        if "flip" in self.fault:
            place = self.fault["flip"]
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]
        body = data[start:end] + b"x" * self.fault.get("extra", 0)
        self.begin(status, headers)
        if status == 206:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, end - 1, total))
        self.send_header("Accept-Ranges", "bytes")
        if self.fault.get("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Trailer", "X-End")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault.get("chunked"):
            for place in range(0, len(body), 40000):
                part = body[place:place + 40000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            return self.wfile.write(b"0\r\nX-End: of the body\r\n\r\n")
        if "stall" in self.fault:
            self.wfile.write(body[:self.fault["stall"]])
            self.wfile.flush()
            self.close_connection = True
            return time.sleep(3600)
        if "rate" in self.fault:
            return self.send_slowly(body, self.fault["rate"])
        if "cut" in self.fault:
            self.wfile.write(body[:self.fault["cut"]])
            self.wfile.flush()
            self.close_connection = True
            return self.connection.shutdown(2)
        step = -(-len(body) // 16) if "slow" in self.fault else len(body)
        try:
            for place in range(0, len(body), step or 1):
                self.wfile.write(body[place:place + step])
                self.wfile.flush()
                if "slow" in self.fault:
                    time.sleep(self.fault["slow"])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send_slowly(self, body, rate):
        begin = time.time()
        try:
            for place in range(0, len(body), 1 << 16):
                self.wfile.write(body[place:place + (1 << 16)])
                time.sleep(max(0, min(place + (1 << 16), len(body)) / rate - (time.time() - begin)))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send_json(self, value):
        body = json.dumps(value).encode()
        self.send(body, {
            "Content-Type": "application/json; charset=utf-8", "ETag": 'W/"%x-%s"' % (len(body), sha256(body)[:27])})


class Hub(Handler):
    where = "hub"

    def common(self):
        kind = "resolvers" if "/resolve" in self.path else "api"
        return {
            "X-Powered-By": "huggingface-moon", "RateLimit": '"%s";r=2990;t=183' % kind,
            "RateLimit-Policy": '"fixed window";"%s";q=3000;w=300' % kind, "Vary": "Origin",
            "X-Request-Id": "Root=1-68d2f1a0-%s" % sha256(self.path.encode())[:24],
            "Access-Control-Expose-Headers":
                "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,"
                "Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash",
            "X-Cache": "Miss from cloudfront", "Via": "1.1 0a1b.cloudfront.net (CloudFront)"}

    def route(self, url):
        path = urllib.parse.unquote(url.path)
        query = urllib.parse.parse_qs(url.query)
        renamed = re.match(r"(/api/models)?/([^/]+(?:/[^/]+)?)(?=/(?:revision|tree|refs|resolve)/?)", url.path)
        if renamed and renamed[2] in self.renames():
            # The hub keeps the query and the escapes of the path.
            location = self.path.replace(renamed[2], self.renames()[renamed[2]], 1)
            return self.redirect(307, location, {})
        if path == "/api/models":
            search = query.get("search", [""])[0].lower()
            author = query.get("author", [""])[0]
            return self.send_json([
                {"id": name, "modelId": name} for name in self.models()
                if search in name.lower() and name.startswith(author)])
        for pattern, method in [
            (r"/api/models/(.+)/revision/(.+)", self.listing), (r"/api/models/(.+)/tree/([^/]+)", self.tree),
            (r"/api/models/(.+)/refs", self.refs), (r"/api/resolve-cache/models/([^/]+/[^/]+)/(\w+)/(.+)", self.small),
            (r"/(.+)/resolve/([^/]+)/(.+)", self.resolve),
        ]:
            found = re.fullmatch(pattern, path)
            if found:
                model, *rest = found.groups()
                return self.check(model) and method(model, *rest)
        self.refuse(404, {})

    def renames(self):
        try:
            with open(os.path.join(STATE, "renames")) as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def models(self):
        return sorted(os.path.join(o, n) for o in os.listdir(MODELS) for n in os.listdir(os.path.join(MODELS, o)))

    def check(self, model):
        """Returns whether access is allowed; otherwise sends the error. gated/… and private/… require the token."""
        token = self.headers.get("Authorization")
        known = token == "Bearer " + TOKEN
        if token == "Bearer hf_expired":
            self.refuse(401, {"X-Error-Message": 'User Access Token "laptop" is expired'})
        elif token and not known and not token.startswith("Basic "):
            self.refuse(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif model not in self.models() or (model.startswith("private/") and not known):
            if known:
                self.refuse(404, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
            else:  # without a code
                self.refuse(401, {
                    "X-Error-Message": "Invalid username or password.",
                    "WWW-Authenticate": 'Bearer realm="Authentication required", charset="UTF-8"'})
        elif model.startswith("gated/") and not known and "/resolve/" in self.path:
            self.refuse(401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted."})
        elif model.startswith("closed/") and "/resolve/" in self.path:
            self.refuse(403 if known else 401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Not in the list."})
        else:
            return True
        return False

    def knows(self, model, revision):
        if revision in ("main", "v1", "refs/pr/1", commit(model)):
            return True
        self.refuse(404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id: " + revision})
        return False

    def listing(self, model, revision):
        if self.knows(model, revision):
            self.send_json({
                "_id": "0", "id": model, "sha": commit(model), "private": False, "gated": False, "tags": [],
                "siblings": [entry(path, data, tree=False) for path, data in sorted(files(model))]})

    def tree(self, model, revision):
        if self.knows(model, revision):
            self.send_json([entry(path, data, tree=True) for path, data in sorted(files(model))])

    def refs(self, model):
        self.send_json({
            "branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": commit(model)}],
            "tags": [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": commit(model)}], "converts": [],
            **({"pullRequests": [{"name": "1", "ref": "refs/pr/1", "targetCommit": commit(model)}]}
               if "include_prs" in self.path else {})})

    def resolve(self, model, revision, path):
        if not self.knows(model, revision):
            return
        data = dict(files(model)).get(path)
        if data is None:
            return self.refuse(404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})
        name = path.split("/")[-1]
        disposition = "inline; filename*=UTF-8''%s; filename=\"%s\";" % (urllib.parse.quote(name), name)
        headers = {
            "X-Repo-Commit": commit(model), "Accept-Ranges": "bytes", "X-Linked-Size": str(len(data)),
            "Content-Disposition": disposition.encode("ascii", "replace").decode()}
        if len(data) < LARGE:
            digest = git_digest(data)
            location = "/api/resolve-cache/models/%s/%s/%s?%s=&etag=%%22%s%%22" % (
                model, commit(model), urllib.parse.quote(path),
                urllib.parse.quote("/%s/resolve/%s/%s" % (model, revision, path), safe=""), digest)
            return self.redirect(307, location, {**headers, "X-Linked-ETag": '"%s"' % digest})
        xet = sha256(sha256(data).encode())
        headers |= {
            "X-Linked-ETag": '"%s"' % sha256(data), "X-Xet-Hash": xet, "Cache-Control": "no-store",
            "Link": '<%s/api/models/%s/xet-read-token/%s>; rel="xet-auth", <https://cas-server.invalid/v1/'
                    'reconstructions/%s>; rel="xet-reconstruction-info"' % (hub_url, model, commit(model), xet)}
        query = "X-Xet-Cas-Uid=public&response-content-disposition=%s&Expires=%d&Policy=eyJ_&Signature=%s" % (
            urllib.parse.quote(disposition), time.time() + 3600, "Ab~" * 100)
        self.redirect(302, "%s/%s/%s?%s" % (storage_url, model, urllib.parse.quote(path), query), headers)

    def small(self, model, revision, path):
        data = dict(files(model))[path]
        self.send(data, {
            "X-Repo-Commit": commit(model), "ETag": 'W/"%s"' % git_digest(data),
            "Cache-Control": "public, max-age=31536000"})


class Storage(Handler):
    where = "storage"

    def common(self):
        return {"X-Amz-Request-Id": "ABC", "X-Cache": "Hit from cloudfront"}

    def route(self, url):
        if int(urllib.parse.parse_qs(url.query).get("Expires", ["0"])[0]) < time.time():
            return self.refuse(403, {})
        with open(os.path.join(MODELS, urllib.parse.unquote(url.path).lstrip("/")), "rb") as file:
            data = file.read()
        self.send(data, {"ETag": '"another"', "Last-Modified": "Tue, 02 Jan 2024 10:00:00 GMT"})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # some tests kill the client


def serve(handler, host):
    server = Server(("127.0.0.1", 0), handler)
    if CERTIFICATE:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "%s://%s:%d" % ("https" if CERTIFICATE else "http", host, server.server_port)


storage_url = serve(Storage, "localhost")  # another name than the hub's, so that curl sees another host
hub_url = serve(Hub, "127.0.0.1")
with open(os.path.join(STATE, "address.new"), "w") as file:
    file.write("%s %s\n" % (hub_url, storage_url))
os.rename(os.path.join(STATE, "address.new"), os.path.join(STATE, "address"))
sys.stdin.read()
