#!/usr/bin/env python3
"""A server that implements the part of the Hugging Face hub that is needed to fetch a model: the listing of a revision,
HEAD and GET of files (small files through a relative redirect, large files through another host), ranges, searches,
refs, and error responses. It can simulate faults.

    hub.py MODELS STATE

MODELS has a folder ORGANIZATION/NAME for each model. The server listens on two free ports of the local host, one for
the hub and one for its storage. When it is ready, it writes `HUB_URL STORAGE_URL` to the file STATE/address. It writes
a line for each request to STATE/log, and exits at the end of its standard input.

STATE/faults, which is read at each request, is a JSON object that maps a part of a path to a fault:
  {"cut": N}           closes the connection after N bytes of the body
  {"status": S, "times": N, "headers": {…}}   responds with this status N times (always without "times")
  {"flip": N}          changes byte N of the body
  {"ignore_range": true}  ignores range requests
  {"slow": S}          sends the body in 16 parts and waits S seconds after each
  {"body": "…"}        sends this body instead
  {"extra": N}         appends N bytes to the body
  {"silent": S}        waits S seconds before the response
  {"repeat": "…"}      sends a listing that repeats this element of "siblings" up to 32 MB
"""
import hashlib
import http.server
import json
import os
import re
import sys
import threading
import time
import urllib.parse

MODELS, STATE = sys.argv[1:3]
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
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def redirect(self, status, location, headers):
        self.send_response(status)
        self.send_header("Location", location)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, data, headers={}):
        if "body" in self.fault:
            data = self.fault["body"].encode()
        start, status = 0, 200
        requested = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if requested and not self.fault.get("ignore_range"):
            start, status = int(requested[1]), 206
            if start >= len(data):
                return self.refuse(416, {"Content-Range": "bytes */%d" % len(data)})
        total = len(data)
        if "flip" in self.fault:
            place = self.fault["flip"]
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]
        body = data[start:] + b"x" * self.fault.get("extra", 0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status == 206:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, total - 1, total))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
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

    def send_json(self, value):
        self.send(json.dumps(value).encode(), {"Content-Type": "application/json; charset=utf-8"})


class Hub(Handler):
    where = "hub"

    def route(self, url):
        path = urllib.parse.unquote(url.path)
        query = urllib.parse.parse_qs(url.query)
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

    def models(self):
        return sorted(os.path.join(o, n) for o in os.listdir(MODELS) for n in os.listdir(os.path.join(MODELS, o)))

    def check(self, model):
        """Returns whether access is allowed; otherwise sends the error. gated/… and private/… require the token."""
        token = self.headers.get("Authorization")
        known = token == "Bearer " + TOKEN
        if token and not known and not token.startswith("Basic "):
            self.refuse(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif model not in self.models() or (model.startswith("private/") and not known):
            self.refuse(404 if known else 401, {
                "X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
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
            "tags": [{"name": "v1", "ref": "refs/tags/v1", "targetCommit": commit(model)}], "converts": []})

    def resolve(self, model, revision, path):
        if not self.knows(model, revision):
            return
        data = dict(files(model)).get(path)
        if data is None:
            return self.refuse(404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})
        headers = {"X-Repo-Commit": commit(model)}
        if len(data) < LARGE:
            location = "/api/resolve-cache/models/%s/%s/%s" % (model, commit(model), urllib.parse.quote(path))
            return self.redirect(307, location, headers)
        headers |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": '"%s"' % sha256(data), "Accept-Ranges": "bytes"}
        self.redirect(302, "%s/%s/%s?Signature=x" % (storage_url, model, urllib.parse.quote(path)), headers)

    def small(self, model, revision, path):
        data = dict(files(model))[path]
        self.send(data, {"X-Repo-Commit": commit(model), "ETag": '"%s"' % git_digest(data)})


class Storage(Handler):
    where = "storage"

    def route(self, url):
        with open(os.path.join(MODELS, urllib.parse.unquote(url.path).lstrip("/")), "rb") as file:
            data = file.read()
        self.send(data, {"ETag": '"another"'})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # some tests kill the client


def serve(handler, host):
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://%s:%d" % (host, server.server_port)


storage_url = serve(Storage, "localhost")  # another name than the hub's, so that curl sees another host
hub_url = serve(Hub, "127.0.0.1")
with open(os.path.join(STATE, "address.new"), "w") as file:
    file.write("%s %s\n" % (hub_url, storage_url))
os.rename(os.path.join(STATE, "address.new"), os.path.join(STATE, "address"))
sys.stdin.read()
