#!/usr/bin/env python3
"""Measures Lastra beside DCMTK's storescp and Debian's Orthanc, in one run on one machine.

    ./dev bench                     everything, a few minutes
    ./dev bench --quick             fewer repetitions and instances
    ./dev bench --only store,read   some of: store, read, web, rendered, big, scale, thumbnails

Every server gets its own empty folder on the disk of --work and is stopped before the next
begins. Figures are medians; clients and servers share the machine, so compare ratios. Prints a
Markdown table and writes the raw figures to --json.
"""
import argparse
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


# ---------------------------------------------------------------- objects

def element(tag, vr, value):
    if isinstance(value, str):
        value = value.encode()
        if len(value) % 2:
            value += b"\0" if vr == "UI" else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in ("OB", "OW", "UN", "SQ"):
        return head + b"\0\0" + struct.pack("<I", len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def us(value):
    return struct.pack("<H", value)


def uid(*numbers):
    return "1.2.826.0.1.3680043.10.998." + ".".join(str(n) for n in numbers)


def part10(study, series, number, pixels, rows, frames=1, patient="P1", modality="CT", sop=CT):
    instance = uid(study, series, number)
    data_set = b"".join([
        element(0x00080005, "CS", "ISO_IR 192"),
        element(0x00080016, "UI", sop), element(0x00080018, "UI", instance),
        element(0x00080020, "DA", f"2026{study % 12 + 1:02}{study % 28 + 1:02}"),
        element(0x00080030, "TM", f"{study % 24:02}1500"),
        element(0x00080050, "SH", f"A{study}"), element(0x00080060, "CS", modality),
        element(0x00080090, "PN", "Bianchi^Luca"), element(0x00081030, "LO", "Torace"),
        element(0x0008103E, "LO", "Assiale"),
        element(0x00100010, "PN", f"{'ABCDEFGHILMNOPQRSTUVZ'[study % 21]}ossi{study}^Anna"),
        element(0x00100020, "LO", patient), element(0x00100030, "DA", "19700101"),
        element(0x00100040, "CS", "F"), element(0x0020000D, "UI", uid(study)),
        element(0x0020000E, "UI", uid(study, series)), element(0x00200010, "SH", str(study)),
        element(0x00200011, "IS", str(series)), element(0x00200013, "IS", str(number)),
        element(0x00200032, "DS", f"-150\\-150\\{number}"),
        element(0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
        element(0x00280002, "US", us(1)), element(0x00280004, "CS", "MONOCHROME2"),
        element(0x00280008, "IS", str(frames)) if frames > 1 else b"",
        element(0x00280010, "US", us(rows)), element(0x00280011, "US", us(rows)),
        element(0x00280030, "DS", "0.6\\0.6"),
        element(0x00280100, "US", us(16)), element(0x00280101, "US", us(16)),
        element(0x00280102, "US", us(15)), element(0x00280103, "US", us(1)),
        element(0x00281050, "DS", "40"), element(0x00281051, "DS", "400"),
        element(0x00281052, "DS", "-1024"), element(0x00281053, "DS", "1"),
        element(0x7FE00010, "OW", pixels),
    ])
    meta = b"".join([
        element(0x00020001, "OB", b"\0\1"), element(0x00020002, "UI", sop),
        element(0x00020003, "UI", instance), element(0x00020010, "UI", EXPLICIT),
        element(0x00020012, "UI", "2.25.1"),
    ])
    return b"\0" * 128 + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + data_set


def slices(folder, studies, count):
    """CT slices of half a MiB, noisy like real ones; one study a folder."""
    import numpy
    rng = numpy.random.default_rng(1)
    y, x = numpy.mgrid[-1:1:512j, -1:1:512j]
    body = 1024 + 40 * (x * x + y * y < 0.7)
    for study in studies:
        os.makedirs(f"{folder}/{study}", exist_ok=True)
        for number in range(1, count + 1):
            pixels = (body + rng.normal(0, 12, body.shape)).astype("<i2").tobytes()
            with open(f"{folder}/{study}/{number:04}.dcm", "wb") as file:
                file.write(part10(study, 1, number, pixels, 512))


# ---------------------------------------------------------------- servers

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server in its own folder; stopped by `with`."""

    name, aet, dicomweb = "", "BENCH", True

    def __init__(self, work):
        self.folder = tempfile.mkdtemp(prefix=self.name.split()[0] + "-", dir=work)
        self.dicom, self.http = free_port(), free_port()

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ, TCP_NODELAY="1")

    def __enter__(self):
        log = open(os.path.join(self.folder, "log"), "w")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=self.environment())
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.dicom), 1).close()
                if self.dicomweb:
                    Caller(self).get("/studies?limit=1", JSON)
                return self
            except (OSError, IndexError, RuntimeError):
                time.sleep(0.05)
        raise SystemExit(f"{self.name} did not start: see {log.name}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def peak_mib(self):
        """Peak resident memory; storescp's children are not counted."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return sum(int(f) for f in fields[11:15]) / os.sysconf("SC_CLK_TCK")


class Lastra(Server):
    name = "Lastra"

    def command(self):
        return [os.environ.get("LASTRA", f"{ROOT}/target/release/lastra"), "serve",
                "--data", f"{self.folder}/data", "--http", f"127.0.0.1:{self.http}",
                "--dicom", f"127.0.0.1:{self.dicom}", "--aet", self.aet]

    def environment(self):
        return dict(os.environ, LASTRA_LOG__LEVEL="warn")


class Storescp(Server):
    name, dicomweb = "storescp", False

    def command(self):
        os.makedirs(f"{self.folder}/data")
        return ["storescp", "--fork", "-od", f"{self.folder}/data", "+B", "-aet", self.aet, str(self.dicom)]


class Orthanc(Server):
    name = "Orthanc"

    def command(self):
        config = {
            "Name": "bench", "StorageDirectory": f"{self.folder}/data",
            "IndexDirectory": f"{self.folder}/data", "DicomAet": self.aet,
            "DicomPort": self.dicom, "HttpPort": self.http, "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False, "SyncStorageArea": True, "Verbosity": "default",
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
        }
        path = f"{self.folder}/orthanc.json"
        json.dump(config, open(path, "w"))
        return ["Orthanc", path]


# ---------------------------------------------------------------- clients

def store(server, folders):
    """Sends each folder over an association of its own, all at once; seconds it took."""
    begun = time.perf_counter()
    senders = [subprocess.Popen(
        ["storescu", "-aec", server.aet, "-xe", "+sd", "+r", "127.0.0.1", str(server.dicom), folder],
        env=dict(os.environ, TCP_NODELAY="1"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for folder in folders]
    for sender in senders:
        _, errors = sender.communicate()
        if sender.returncode:
            raise RuntimeError(f"storescu to {server.name}: {errors.decode()[:200]}")
    return time.perf_counter() - begun


class Caller:
    """An HTTP/1.1 connection that costs the client little: Python's own takes longer than the servers."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.http), 600)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = self.socket.makefile("rb", 1 << 20)

    def get(self, path, accept):
        """Reads the whole answer; its body's bytes."""
        self.socket.sendall(f"GET /dicom-web{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n\r\n".encode())
        status = int(self.answer.readline().split()[1])
        length, chunked = None, False
        while (line := self.answer.readline()) not in (b"\r\n", b""):
            name, _, value = line.lower().partition(b":")
            length = int(value) if name == b"content-length" else length
            chunked = chunked or (name == b"transfer-encoding" and b"chunked" in value)
        total = self.chunks() if chunked else self.rest() if length is None and status != 204 else self.take(length or 0)
        if status not in (200, 204):
            raise RuntimeError(f"{path}: {status}")
        return total

    def chunks(self):
        total = 0
        while length := int(self.answer.readline().split(b";")[0], 16):
            total += self.take(length)
            self.answer.readline()
        self.answer.readline()
        return total

    def rest(self):
        """The body of an answer without a length: it ends where the connection does."""
        total = 0
        while piece := self.answer.read(1 << 20):
            total += len(piece)
        return total

    def take(self, length):
        left = length
        while left:
            piece = self.answer.read(min(left, 1 << 20))
            if not piece:
                raise RuntimeError("the answer was cut")
            left -= len(piece)
        return length


def latency_ms(server, paths, accept, repetitions):
    """Median over one connection, after two requests that do not count."""
    caller, times = Caller(server), []
    for n in range(repetitions + 2):
        begun = time.perf_counter()
        caller.get(paths[n % len(paths)], accept)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times[2:])


JSON = "application/dicom+json"
OCTETS = 'multipart/related; type="application/octet-stream"'
FILES = 'multipart/related; type="application/dicom"; transfer-syntax=*'


# ---------------------------------------------------------------- rows

class Figures(dict):
    def note(self, row, server, value, digits=1):
        self.setdefault(row, {})[server.name] = round(value, digits)
        print(f"  {server.name:10} {row}: {round(value, digits)}", file=sys.stderr)


def measure_store(figures, kinds, work, options):
    corpus = f"{work}/slices"
    slices(corpus, range(16), options.slices // 16)
    whole = [f"{corpus}/{n}" for n in range(16)]
    size = sum(os.path.getsize(os.path.join(r, f)) for r, _, fs in os.walk(corpus) for f in fs) / 1e6
    rounds = {(kind, n): [] for kind in kinds for n in (1, 4, 16)}
    for _ in range(options.repeat):  # in turn, so that the machine's moods hit all alike
        for kind in kinds:
            for associations in (1, 4, 16):
                groups = [f"{work}/group{n}" for n in range(associations)]
                for n, group in enumerate(groups):
                    shutil.rmtree(group, ignore_errors=True)
                    os.makedirs(group)
                    for path in whole[n::associations]:
                        for name in os.listdir(path):
                            os.link(f"{path}/{name}", f"{group}/{os.path.basename(path)}-{name}")
                with kind(work) as server:
                    rounds[kind, associations].append(
                        (size / store(server, groups), server.cpu_s() / size * 1000, server.peak_mib()))
                for group in groups:
                    shutil.rmtree(group)
    for (kind, n), values in rounds.items():
        rate, cpu, peak = (statistics.median(v[i] for v in values) for i in range(3))
        figures.note(f"C-STORE {options.slices} CT slices, {n} association{'s' * (n > 1)}, MB/s", kind, rate, 0)
        if kind is not Storescp:  # its children are not counted
            figures.note(f"… {n}: server cpu-s/GB", kind, cpu, 2)
            figures.note(f"… {n}: peak MiB", kind, peak, 0)


def measure_read(figures, kinds, work, options):
    folder = f"{work}/study"
    slices(folder, [7], options.slices)
    size = sum(e.stat().st_size for e in os.scandir(f"{folder}/7")) / 1e6
    study, series = uid(7), uid(7, 1)
    at = f"/studies/{study}/series/{series}"
    frames = [f"{at}/instances/{uid(7, 1, n)}/frames/1" for n in range(1, options.slices, 7)]
    for kind in kinds:
        if not kind.dicomweb:
            continue
        with kind(work) as server:
            store(server, [f"{folder}/7"])
            begun = time.perf_counter()
            Caller(server).get(f"/studies/{study}/metadata", JSON)
            figures.note(f"study metadata, {options.slices} slices, first, ms", server, (time.perf_counter() - begun) * 1000)
            time.sleep(8)  # the series goes quiet: what precomputes may do so
            figures.note(f"study metadata, {options.slices} slices, quiet, ms", server, latency_ms(server, [f"/studies/{study}/metadata"], JSON, 10), 2)
            figures.note("series metadata, quiet, ms", server, latency_ms(server, [f"{at}/metadata"], JSON, 10), 2)
            figures.note("one frame of a CT slice, ms", server, latency_ms(server, frames, OCTETS, 100), 2)
            figures.note("rendered CT slice, ms", server, latency_ms(server, [f.replace("/frames/1", "/rendered") for f in frames], "image/jpeg", 40), 2)
            times = []
            for _ in range(max(3, options.repeat)):
                begun = time.perf_counter()
                got = Caller(server).get(f"/studies/{study}", FILES)
                times.append(got / 1e6 / (time.perf_counter() - begun))
                assert got > size * 1e6 * 0.99, (got, size)
            figures.note(f"whole study of {size:.0f} MB, MB/s", server, statistics.median(times), 0)
            figures.note("… peak MiB after all reads", server, server.peak_mib(), 0)


def measure_big(figures, kinds, work, options):
    path = f"{work}/big.dcm"
    frames = 1200 if not options.quick else 300
    with open(path, "wb") as file:
        file.write(part10(9, 1, 1, os.urandom(512 * 512 * 2) * frames, 512, frames, sop="1.2.840.10008.5.1.4.1.1.2.1"))
    size = os.path.getsize(path) / 1e6
    at = f"/studies/{uid(9)}/series/{uid(9, 1)}/instances/{uid(9, 1, 1)}"
    for kind in kinds:
        with kind(work) as server:
            begun = time.perf_counter()
            subprocess.run(["storescu", "-aec", server.aet, "-xe", "127.0.0.1", str(server.dicom), path],
                           env=dict(os.environ, TCP_NODELAY="1"), check=True, stderr=subprocess.DEVNULL)
            figures.note(f"C-STORE of one object of {size:.0f} MB, MB/s", server, size / (time.perf_counter() - begun), 0)
            if kind is Storescp:
                continue
            figures.note("… peak MiB", server, server.peak_mib(), 0)
            few = 100 if kind is Lastra else 3
            figures.note(f"one frame of its {frames}, ms", server, latency_ms(server, [f"{at}/frames/{n}" for n in range(1, frames, 11)], OCTETS, few), 2)
            figures.note("its metadata, ms", server, latency_ms(server, [f"{at}/metadata"], JSON, few), 2)
    os.remove(path)


def measure_scale(figures, kinds, work, options):
    count = 100_000 if not options.quick else 5_000
    folder = f"{work}/small"
    for n in range(count):
        study, series, number = n // 10, n // 5 % 2 + 1, n % 5 + 1
        os.makedirs(f"{folder}/{n * 4 // count}", exist_ok=True)
        modality = ("CT", "MR", "US", "DX")[study % 4]
        with open(f"{folder}/{n * 4 // count}/{n}.dcm", "wb") as file:
            file.write(part10(study, series, number, b"\0" * 512, 16, patient=f"P{study}", modality=modality))
    studies = count // 10
    queries = {
        "patient id": [f"/studies?PatientID=P{n * 37 % studies}" for n in range(40)],
        "name prefix, 25": [f"/studies?PatientName={c}*&limit=25" for c in "ABCDEFGHIL"],
        "date range, 25": [f"/studies?StudyDate=2026{m:02}01-2026{m:02}28&limit=25" for m in range(1, 13)],
        "modality, 25": ["/studies?ModalitiesInStudy=MR&limit=25"],
        "series of a study": [f"/studies/{uid(n * 37 % studies)}/series" for n in range(40)],
    }
    for kind in kinds:
        if not kind.dicomweb or (kind is Orthanc and options.skip_slow):
            continue
        with kind(work) as server:
            seconds = store(server, [f"{folder}/{n}" for n in range(4)])
            figures.note(f"C-STORE of {count} objects of 2 KB, 4 associations, /s", server, count / seconds, 0)
            for name, paths in queries.items():
                figures.note(f"QIDO at {count} instances, {name}, ms", server, latency_ms(server, paths, JSON, 40), 2)
            figures.note(f"… peak MiB at {count} instances", server, server.peak_mib(), 0)
    shutil.rmtree(folder)


def measure_thumbnails(figures, kinds, work, options):
    """Thumbnails of series nobody asked for yet: the rate at which they are made and answered."""
    folder = f"{work}/series"
    count = 200 if not options.quick else 40
    slices(folder, range(1000, 1000 + count), 1)
    paths = [f"/studies/{uid(s)}/series/{uid(s, 1)}/thumbnail" for s in range(1000, 1000 + count)]
    for kind in kinds:
        if not kind.dicomweb:
            continue
        with kind(work) as server:
            store(server, [folder])
            probe = paths[0] if kind is Lastra else paths[0].replace("/thumbnail", f"/instances/{uid(1000, 1, 1)}/rendered")
            wanted = [p if kind is Lastra else p.replace("/thumbnail", f"/instances/{uid(1000 + n, 1, 1)}/rendered") for n, p in enumerate(paths)]
            Caller(server).get(probe, "image/jpeg")
            row = "thumbnails (Orthanc has none: rendered) of fresh series, 8 connections, /s"
            figures.note(row, server, count / by_eight(server, wanted), 0)


def pictures(folder, options):
    """Series to be rendered: name, folder, how storescu proposes it, paths of instances. Compressed by DCMTK."""
    import numpy
    count, rng = options.slices // 2, numpy.random.default_rng(2)
    slices(f"{folder}/native", [2000], count)
    paths = lambda study: [f"/studies/{uid(study)}/series/{uid(study, 1)}/instances/{uid(study, 1, n)}" for n in range(1, count + 1)]
    yield "CT slice", f"{folder}/native/2000", "-xe", paths(2000)
    for study, name, tool, propose in ((2001, "CT slice in JPEG lossless", "dcmcjpeg", "-xs"),
                                       (2002, "CT slice in JPEG-LS", "dcmcjpls", "-xt")):
        slices(f"{folder}/plain", [study], count)
        os.makedirs(f"{folder}/{study}")
        for file in os.listdir(f"{folder}/plain/{study}"):
            subprocess.run([tool, "-q", f"{folder}/plain/{study}/{file}", f"{folder}/{study}/{file}"], check=True)
        yield name, f"{folder}/{study}", propose, paths(study)
    os.makedirs(f"{folder}/dx")
    y, x = numpy.mgrid[-1:1:2500j, -1:1:2500j]
    for number in range(1, 13):
        pixels = (1500 + 900 * numpy.cos(3 * x + number) * y + rng.normal(0, 20, x.shape)).clip(0, 4095).astype("<i2")
        with open(f"{folder}/dx/{number}.dcm", "wb") as file:
            file.write(part10(2003, 1, number, pixels.tobytes(), 2500, modality="DX"))
    yield "radiograph of 2500x2500", f"{folder}/dx", "-xe", paths(2003)[:12]


def measure_rendered(figures, kinds, work, options):
    """Pictures nobody asked for yet: one connection, then eight on the other half; and asked for again."""
    sets = list(pictures(f"{work}/pictures", options))
    for kind in kinds:
        if not kind.dicomweb:
            continue
        for name, folder, propose, paths in sets:
            with kind(work) as server:
                subprocess.run(["storescu", "-aec", server.aet, propose, "+sd", "127.0.0.1", str(server.dicom), folder],
                               env=dict(os.environ, TCP_NODELAY="1"), check=True, stdout=subprocess.DEVNULL)
                paths = [f"{path}/rendered" for path in paths]
                one, eight = paths[: len(paths) // 2], paths[len(paths) // 2:]
                try:
                    # Two requests that do not count come first; they are not repeated.
                    figures.note(f"rendered {name}, first time, 1 connection, ms", server, latency_ms(server, one, "image/jpeg", len(one) - 2), 2)
                except RuntimeError as error:
                    print(f"  {server.name} renders no {name}: {error}", file=sys.stderr)
                    continue
                figures.note(f"rendered {name}, first time, 8 connections, /s", server, len(eight) / by_eight(server, eight), 0)
                figures.note(f"rendered {name}, asked for again, 8 connections, /s", server, len(eight) / by_eight(server, eight), 0)
                figures.note(f"rendered {name}: peak MiB after {len(paths)}", server, server.peak_mib(), 0)


def by_eight(server, paths):
    """Seconds in which eight connections ask for all paths."""
    def ask(part):
        caller = Caller(server)
        for path in part:
            caller.get(path, "image/jpeg")

    askers = [threading.Thread(target=ask, args=(paths[n::8],)) for n in range(8)]
    begun = time.perf_counter()
    [asker.start() for asker in askers]
    [asker.join() for asker in askers]
    return time.perf_counter() - begun


class Nginx(Server):
    """Plain files of the same size: what is left to win."""

    name, dicomweb = "nginx", False

    def command(self):
        os.makedirs(f"{self.folder}/files")
        self.dicom = self.http
        # As root its workers would be nobody, who may not read this folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config = f"""{user} daemon off; worker_processes 2; error_log {self.folder}/error; pid {self.folder}/pid;
            events {{ worker_connections 1024; }}
            http {{ access_log off; sendfile on; tcp_nodelay on; keepalive_requests 10000000; default_type application/octet-stream;
              client_body_temp_path {self.folder}/1; proxy_temp_path {self.folder}/2; fastcgi_temp_path {self.folder}/3;
              uwsgi_temp_path {self.folder}/4; scgi_temp_path {self.folder}/5;
              server {{ listen 127.0.0.1:{self.http}; root {self.folder}/files; }} }}"""
        open(f"{self.folder}/nginx.conf", "w").write(config)
        return ["nginx", "-c", f"{self.folder}/nginx.conf", "-p", self.folder]


def throughput(server, paths, accept, connections, seconds):
    """Requests a second by wrk, which takes the paths in turn; none may fail."""
    script = f"{server.folder}/paths.lua"
    with open(script, "w") as file:
        quoted = ",".join(json.dumps(path) for path in paths)
        headers = f"{{Accept={json.dumps(accept)}}}"
        file.write(f"local paths = {{{quoted}}} local n = 0\n"
                   f"request = function() n = n + 1 return wrk.format('GET', paths[n % #paths + 1], {headers}) end\n")
    run = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", script, f"http://127.0.0.1:{server.http}"],
        capture_output=True, text=True, check=True).stdout
    # Read errors are no failures: an answer without a length ends with its connection.
    if "Non-2xx" in run or re.search(r"(connect|write|timeout) [1-9]", run):
        raise RuntimeError(f"{server.name} {paths[0]}: {run}")
    return float(next(line.split()[1] for line in run.splitlines() if line.startswith("Requests/sec")))


def stow(server, bodies, connections):
    """Posts each body once over that many connections; seconds it took."""
    def post(part):
        for body in part:
            with socket.create_connection(("127.0.0.1", server.http), 600) as peer:
                peer.sendall(b"POST /dicom-web/studies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/dicom+json\r\n"
                             b"Content-Type: multipart/related; type=\"application/dicom\"; boundary=cut\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(body))
                peer.sendall(body)
                answer = peer.makefile("rb").read()
                if b" 200 " not in answer[:16]:
                    raise RuntimeError(answer[:400])

    begun = time.perf_counter()
    senders = [threading.Thread(target=post, args=(bodies[n::connections],)) for n in range(connections)]
    [sender.start() for sender in senders]
    [sender.join() for sender in senders]
    return time.perf_counter() - begun


def measure_web(figures, kinds, work, options):
    """DICOMweb by throughput: STOW-RS, the study list, frames, metadata, whole studies, pictures."""
    folder = f"{work}/web"
    studies = range(2000, 2000 + (16 if options.quick else 40))
    slices(folder, studies, 10)
    bodies = []
    for study in studies:
        files = [open(e.path, "rb").read() for e in sorted(os.scandir(f"{folder}/{study}"), key=lambda e: e.name)]
        bodies.append(b"".join(b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + f + b"\r\n" for f in files) + b"--cut--\r\n")
    size = sum(map(len, bodies)) / 1e6
    seconds = 2 if options.quick else 5
    instances = [(s, f"/dicom-web/studies/{uid(s)}/series/{uid(s, 1)}/instances/{uid(s, 1, n)}") for s in studies for n in range(1, 11)]
    frames = [f"{path}/frames/1" for _, path in instances]

    def rates(server, row, paths, accept, connections):
        values = [throughput(server, paths, accept, connections, seconds) for _ in range(options.repeat)]
        figures.note(f"{row}, {connections} connection{'s' * (connections > 1)}, /s", server, statistics.median(values), 0)

    for kind in kinds:
        if not kind.dicomweb:
            continue
        for connections in (1, 4):
            times = []
            for _ in range(options.repeat):
                with kind(work) as server:
                    times.append(size / stow(server, bodies, connections))
            figures.note(f"STOW-RS of {size:.0f} MB in requests of 10 slices, {connections} connection{'s' * (connections > 1)}, MB/s", kind, statistics.median(times), 0)
        with kind(work) as server:
            stow(server, bodies, 2)
            time.sleep(8)  # quiet: thumbnails and metadata are made
            rates(server, "study list, page of 25", ["/dicom-web/studies?limit=25"], JSON, 8)
            rates(server, "one study by its UID", [f"/dicom-web/studies?StudyInstanceUID={uid(s)}" for s in studies], JSON, 8)
            for connections in (1, 8, 32):
                rates(server, "frames of 0.5 MB", frames, OCTETS, connections)
            rates(server, "metadata of a series of 10", [f"/dicom-web/studies/{uid(s)}/series/{uid(s, 1)}/metadata" for s in studies], JSON, 8)
            rates(server, "whole studies of 5 MB", [f"/dicom-web/studies/{uid(s)}" for s in studies], FILES, 8)
            rates(server, "rendered CT slices, each asked again and again", [f"{path}/rendered" for _, path in instances], "image/jpeg", 8)
            figures.note("… peak MiB after all this", server, server.peak_mib(), 0)
    if shutil.which("nginx"):
        with Nginx(work) as server:
            for n in range(len(frames)):
                open(f"{server.folder}/files/{n}", "wb").write(os.urandom(512 * 512 * 2))
            for n, body in enumerate(bodies):
                open(f"{server.folder}/files/study{n}", "wb").write(body)
            for connections in (1, 8, 32):
                rates(server, "frames of 0.5 MB", [f"/{n}" for n in range(len(frames))], "*/*", connections)
            rates(server, "whole studies of 5 MB", [f"/study{n}" for n in range(len(bodies))], "*/*", 8)
    shutil.rmtree(folder)


# ---------------------------------------------------------------- report

def version(command):
    try:
        out = subprocess.run(command, capture_output=True, text=True).stdout
        return next((line.strip() for line in out.splitlines() if any(c.isdigit() for c in line)), "?")
    except OSError:
        return "not installed"


def report(figures, kinds):
    names = [kind.name for kind in kinds]
    names += ["nginx"] * any("nginx" in values for values in figures.values())
    print(f"\n{time.strftime('%Y-%m-%d')} · {os.cpu_count()} cores · {platform.processor() or platform.machine()} · Linux {platform.release()}")
    print(f"Lastra: {version([Lastra(tempfile.gettempdir()).command()[0], '--version'])} · storescp: {version(['storescp', '--version'])} · Orthanc: {version(['Orthanc', '--version'])}\n")
    print("| row | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names))
    for row, values in figures.items():
        print(f"| {row} | " + " | ".join(str(values.get(name, "–")) for name in names) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and instances")
    parser.add_argument("--only", default="store,read,web,rendered,big,thumbnails,scale", help="which measurements")
    parser.add_argument("--servers", default="Lastra,storescp,Orthanc")
    parser.add_argument("--skip-slow", action="store_true", help="leave Orthanc out of the 100 000 instances")
    parser.add_argument("--work", default=None, help="folder on the disk to measure")
    parser.add_argument("--json", default=None, help="write the raw figures here")
    options = parser.parse_args()
    options.repeat, options.slices = (1, 160) if options.quick else (3, 400)
    kinds = [k for k in (Lastra, Storescp, Orthanc) if k.name in options.servers.split(",")]
    if Orthanc in kinds and shutil.which("Orthanc") is None:
        kinds.remove(Orthanc)
        print("Orthanc is not installed: left out", file=sys.stderr)
    work = tempfile.mkdtemp(prefix="lastra-bench-", dir=options.work or f"{ROOT}/target")
    figures = Figures()
    try:
        for name in options.only.split(","):
            print(f"{name} …", file=sys.stderr)
            globals()[f"measure_{name}"](figures, kinds, work, options)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        report(figures, kinds)
        if options.json:
            json.dump(figures, open(options.json, "w"), indent=1)


if __name__ == "__main__":
    main()
