"""Processes that end with this one, the folder that goes with them, and tools that are run to their end."""

import atexit
import ctypes
import os
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class SlapdError(Exception):
    """slapd or one of its tools did not do what it was told; the text holds what it said."""


class Starter:
    """Starts children from one thread that lives as long as the process.

    The death signal of prctl(2) comes when the *thread* that started the child ends, so a test that starts slapd from a
    worker thread would lose it.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.jobs = None

    def start(self, command, **options):
        with self.lock:
            if self.jobs is None:
                self.jobs = queue.Queue()
                threading.Thread(target=self._work, daemon=True, name="starter").start()
        box = queue.Queue()
        self.jobs.put((box, command, options))
        result = box.get()
        if isinstance(result, BaseException):
            raise result
        return result

    def _work(self):
        parent = os.getpid()

        def die_with_parent():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            # Test runners in other languages start children from threads that block signals, and slapd would never
            # see that it is to end.
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            if os.getppid() != parent:
                os._exit(1)

        while True:
            box, command, options = self.jobs.get()
            try:
                box.put(subprocess.Popen(command, preexec_fn=die_with_parent, **options))
            except BaseException as error:
                box.put(error)


STARTER = Starter()


class Scratch:
    """The folder below which this process keeps everything, removed at the end, and by a sweeper when it is killed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.root = None

    def folder(self, prefix):
        with self.lock:
            if self.root is None:
                # Short, for a Unix socket's path has 107 octets.
                self.root = Path(tempfile.mkdtemp(prefix="slapd-"))
                # Its standard input ends with this process, whatever ends that. slapd has PDEATHSIG: it goes first.
                self.sweeper = subprocess.Popen(
                    ["/bin/sh", "-c", 'cat >/dev/null; sleep 0.2; rm -rf -- "$1"', "sweeper", str(self.root)],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    start_new_session=True)
                atexit.register(self.remove)
            return Path(tempfile.mkdtemp(prefix=prefix + "-", dir=self.root))

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)
        self.sweeper.kill()
        self.sweeper.stdin.close()
        self.sweeper.wait()


SCRATCH = Scratch()


def free_port():
    """A port that nobody had a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run(command, what, **options):
    """Runs a tool to its end; its output is in the error when it fails."""
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        **options)
    if done.returncode != 0:
        raise SlapdError(f"{what}: {command[0]} ended with {done.returncode}:\n{done.stdout.strip()}")
    return done.stdout
