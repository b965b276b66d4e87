#!/usr/bin/env python3
"""What a person at the screen waits for: start, a saved rule, a saved pack; and what the screen costs at rest.

Drives the binary in a pseudo-terminal. A save counts as answered when the whole screen is what it is once nothing
moves any more for that text: rule, route, SQL and matches. What is written is timed as it comes and only looked at
once nothing more does: to make a screen of it takes longer than the program took. Needs `pip install pyte`; prints
Markdown rows.
"""

import argparse
import fcntl
import os
import pty
import queue
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, LINES = 160, 50
REST = 1.2  # seconds without a change, after which the screen is taken to be complete
QUIET = 0.3  # … after which what a save has changed is looked at

# The status line once all rules are counted: it begins with how many there are.
COUNTED = re.compile(r"\s*[1-9][,.\d]* rules")

PROBE = """title: A probe of latency
id: 5f0c9b1e-7a0e-4a58-9f43-1d1f5b0f7a11
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        Image|endswith: '{image}'
        CurrentDirectory|contains: '\\'
    condition: selection
"""
IMAGES = ["\\powershell.exe", "\\cmd.exe"]

# What terminals are asked, and what one answers.
ANSWERS = [(b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"), (b"\x1b]10;?", b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
           (b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;22c")]


class Program:
    """The program under a terminal of its own."""

    def __init__(self, command, state):
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)
        self.changed = self.started = time.perf_counter()
        environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor",
                           SIGMA_OCSF_CONFIG_DIR=str(state), SIGMA_OCSF_STATE_DIR=str(state))
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.written, self.heard = queue.SimpleQueue(), time.perf_counter()
        self.verdicts = None, self.started
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        """Notes what is written, and when."""
        while True:
            try:
                data = os.read(self.fd, 1 << 20)
            except OSError:
                return
            self.heard = time.perf_counter()
            self.written.put((self.heard, data))
            for question, answer in ANSWERS:
                if question in data:
                    os.write(self.fd, answer)

    def silent(self, seconds, deadline):
        """Waits until nothing has been written for so long."""
        while (left := self.heard + seconds - time.perf_counter()) > 0:
            if time.perf_counter() > deadline:
                raise TimeoutError("the screen never rests")
            time.sleep(max(left, 0.01))

    def pump(self, patience=None):
        """Takes in the next thing written, waiting for it at most `patience` seconds; whether there was anything."""
        try:
            heard, data = self.written.get(patience is not None, patience)
        except queue.Empty:
            return False
        before = self.screen.display
        self.stream.feed(data)
        now = self.screen.display
        if now != before:
            self.changed = heard
        # The list of rules, up to the first border, and the line that counts them.
        verdicts = [line.split("│")[0] for line in now[:-1]] + [now[-1].split("filter")[0]]
        if verdicts != self.verdicts[0]:
            self.verdicts = verdicts, heard
        return True

    def until(self, holds, patience=60.0):
        """The time at which the screen came to satisfy `holds`."""
        deadline = time.perf_counter() + patience
        while not holds(self.screen.display):
            if time.perf_counter() > deadline:
                raise TimeoutError("\n".join(self.screen.display))
            self.pump(0.5)
        return self.changed

    def settle(self, patience=180.0):
        """Waits until nothing is counted and nothing has changed for `REST` seconds; the time of the last change."""
        deadline = time.perf_counter() + patience
        self.silent(REST, deadline)
        while self.pump() or not COUNTED.match(self.screen.display[-1]):
            self.silent(REST, deadline)
            if time.perf_counter() > deadline:
                raise TimeoutError("\n".join(self.screen.display))
        return self.changed

    def keys(self, text):
        for key in text:
            os.write(self.fd, key.encode())
            time.sleep(0.05)
        self.heard = self.changed = time.perf_counter()

    def task_files(self, name):
        return [Path(task, name).read_text() for task in Path(f"/proc/{self.pid}/task").iterdir()]

    def cost(self):
        """CPU ticks used, times a thread woke, resident MiB and the most there were."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks = int(fields[11]) + int(fields[12])
        status = Path(f"/proc/{self.pid}/status").read_text()
        woken = sum(int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M)[1]) for text in self.task_files("status"))
        mib = [int(re.search(rf"^{key}:\s*(\d+)", status, re.M)[1]) / 1024 for key in ("VmRSS", "VmHWM")]
        return ticks, woken, *mib

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def milliseconds(seconds):
    return f"{seconds * 1000:.0f} ms"


def spread(times):
    ordered = sorted(times)
    at = lambda part: ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))]
    return f"p50 {milliseconds(at(0.5))}, p95 {milliseconds(at(0.95))} ({len(times)} saves)"


def saves(program, path, texts, count):
    """Saves the texts in turn; how long the screen takes each time to be what it is for that text."""
    seen = {text: [] for text in texts}
    for text in texts * 3:
        save(path, text)
        program.heard = program.changed = time.perf_counter()
        program.settle()
        seen[text].append(list(program.screen.display))
    # Lines that differ from one time to the next, such as counters, tell nothing.
    steady = {text: [at for at in range(LINES) if len({screen[at] for screen in seen[text][1:]}) == 1] for text in texts}
    if all(seen[texts[0]][-1][at] == seen[texts[1]][-1][at] for at in steady[texts[0]]):
        raise SystemExit("the two texts look alike on the screen; nothing can be measured")
    times = []
    for turn in range(count):
        text = texts[turn % len(texts)]
        wanted = seen[text][-1]
        begun = program.heard = time.perf_counter()
        save(path, text)
        program.silent(QUIET, begun + 60)
        times.append(program.until(lambda shown: all(shown[at] == wanted[at] for at in steady[text])) - begun)
        while program.pump():
            pass
    return times


def save(path, text):
    """As editors do: a file beside it, moved into its place."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text)
    os.replace(beside, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / "target/release/sigma-ocsf-tui"))
    corpus = Path(os.environ.get("SIGMA_OCSF_CORPUS", ROOT / "../shared/corpus"))
    parser.add_argument("--rules", type=Path, default=corpus / "rules")
    parser.add_argument("--run", type=Path, default=corpus / "runs/mordor")
    parser.add_argument("--saves", type=int, default=40)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--no-pack", action="store_true")
    arguments = parser.parse_args()

    # Whoever notes the time does not wait for whoever makes screens.
    sys.setswitchinterval(0.0005)
    work = Path(tempfile.mkdtemp(prefix="latency."))
    try:
        measure(arguments, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(arguments, work):
    rules, packs, state = work / "rules", work / "packs", work / "state"
    shutil.copytree(arguments.rules, rules)
    shutil.copytree(ROOT / "mapping_packs", packs)
    subprocess.run(["chmod", "-R", "u+w", str(work)], check=True)
    state.mkdir()
    probe = rules / "probe_of_latency.yml"
    probe.write_text(PROBE.format(image=IMAGES[0]))
    command = [arguments.binary, str(rules), "--parquet", str(arguments.run), "--pack", str(packs / "ocsf-1.7.0"),
               "--enable", "all", "--raw-fallback", "--theme", "dark"]

    frames, listed = [], []
    for _ in range(arguments.starts):
        program = Program(command, state)
        frames.append(program.until(lambda shown: any(line.strip() for line in shown)) - program.started)
        listed.append(program.until(lambda shown: re.search(r"[1-9][,.\d]* rules", "\n".join(shown))) - program.started)
        program.close()
    print(f"| first frame | median {milliseconds(statistics.median(frames))}; rules listed {milliseconds(statistics.median(listed))} |")

    # The first time nothing is known of the rules; from then on, what they answered.
    state = work / "fresh"
    state.mkdir()
    program = Program(command, state)
    rests = [program.settle() - program.started]
    print(f"| all verdicts after a start, the first | {program.verdicts[1] - program.started:.2f} s; all rests {rests[0]:.2f} s |", flush=True)
    again, rests = [], []
    for _ in range(arguments.starts):
        program.close()
        program = Program(command, state)
        rests.append(program.settle() - program.started)
        again.append(program.verdicts[1] - program.started)
    print(f"| … after another start | median {milliseconds(statistics.median(again))}; all rests {milliseconds(statistics.median(rests))} |", flush=True)
    program.keys("/")
    program.settle()
    program.keys("probe of latency\r")
    program.settle()
    print("\n".join(line.rstrip() for line in program.screen.display), file=sys.stderr)
    print(f"| save of one rule | {spread(saves(program, probe, [PROBE.format(image=i) for i in IMAGES], arguments.saves))} |", flush=True)

    if not arguments.no_pack:
        path = packs / "windows-sysmon/aliases/process.yaml"
        text = path.read_text()
        other = text.replace("CurrentDirectory: process.working_directory", "CurrentDirectory: process.cmd_line")
        times = saves(program, path, [text, other], max(4, arguments.saves // 4))
        print(f"| save of the pack | {spread(times)} |", flush=True)

    ticks, woken, _, _ = program.cost()
    time.sleep(5)
    later, woken_later, resident, most = program.cost()
    print(f"| at rest, 5 s | {(later - ticks) * 10} ms CPU, {woken_later - woken} wake-ups; {resident:.0f} MiB, at most {most:.0f} MiB |")
    program.close()


if __name__ == "__main__":
    main()
