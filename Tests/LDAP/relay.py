#!/usr/bin/env python3
"""A TCP relay between a client and slapd that does to connections what networks do.

    with Relay(server.port) as relay:
        ... relay.uri ...
        relay.cut(after=20)

As a command it relays until its standard input closes, and takes faults as lines (see `COMMANDS`):

    relay.py --to 127.0.0.1:389
"""

import argparse
import asyncio
import json
import signal
import socket
import struct
import sys
import threading
from dataclasses import dataclass

PIECE = 65536


@dataclass
class Fault:
    """What is done to the answers from now on."""

    # Octets of the answer that still get through on each connection; None: all.
    after: int = None
    # Then: "reset", "close", or "stall" (silence, the connection stays).
    then: str = "reset"
    # How many connections it happens to; None: all.
    times: int = None
    # Seconds that each piece of an answer comes late.
    delay: float = 0.0
    # Connections are taken, and nothing ever goes through.
    hang: bool = False


class Relay:
    """Relays connections to a port of this machine, from a thread of its own. Any thread may call any method.

    A fault holds for answers that come after the call, on connections that are open already too; `after` counts from
    the call. Faults replace each other; `heal` takes the last one away.
    """

    def __init__(self, target, host="127.0.0.1"):
        """target: a port of `host`, or (host, port), or a Slapd."""
        if hasattr(target, "port"):
            target = target.port
        self.target = target if isinstance(target, tuple) else (host, target)
        self.fault = Fault()
        self.generation = 0
        # How many connections there have been; how many were cut by a fault.
        self.accepted = 0
        self.cuts = 0
        self.links = set()
        # The connections that were accepted, until they are over.
        self.tasks = set()
        # How often all connections were dropped.
        self.drops = 0
        self.listener = None
        self.holder = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True, name="relay")
        self.thread.start()
        self.port = 0
        self.port = self._call(self._listen())

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def open(self):
        """How many connections there are now."""
        return len(self.links)

    # Faults.

    def heal(self):
        """Relays as if nothing were. Connections that stalled or hung stay as they are: what they lost is lost."""
        self._call(self._set(Fault()))

    def cut(self, after=0, times=None, reset=True):
        """Cuts a connection when so many octets of answers have gone through: by RST, or in good order (FIN).

        after=0 cuts as soon as there is an answer, which is after slapd has had the question.
        """
        self._call(self._set(Fault(after=after, then="reset" if reset else "close", times=times)))

    def stall(self, after=0, times=None):
        """Lets so many octets of answers through and is silent then; the connection stays."""
        self._call(self._set(Fault(after=after, then="stall", times=times)))

    def delay(self, seconds):
        """Answers come so much later."""
        self._call(self._set(Fault(delay=seconds)))

    def hang(self):
        """Takes connections, and neither asks nor answers on them: as a frozen machine whose kernel still runs."""
        self._call(self._set(Fault(hang=True)))

    def refuse(self):
        """Refuses connections (ECONNREFUSED) and resets those there are, until `heal`. The port stays this relay's."""
        self._call(self._refuse())

    def drop(self, reset=True):
        """Cuts the connections that there are now; new ones are relayed as before."""
        self._call(self._drop(reset))

    def stop(self):
        if self.thread.is_alive():
            self._call(self._refuse())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
            self.holder.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # The thread.

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def _bind(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        return listener

    async def _listen(self):
        if self.holder:
            self.holder.close()
            self.holder = None
        self.listener = self._bind()
        self.listener.listen(100)
        self.listener.setblocking(False)
        self.loop.add_reader(self.listener, self._accept)
        return self.listener.getsockname()[1]

    async def _set(self, fault):
        self.fault = fault
        self.generation += 1
        if self.listener is None:
            await self._listen()

    async def _refuse(self):
        self.fault = Fault()
        self.generation += 1
        if self.listener:
            self.loop.remove_reader(self.listener)
            self.listener.close()
            self.listener = None
            # Bound and not listening: nobody else gets the port, and who connects is refused.
            self.holder = self._bind()
        await self._drop(True)

    async def _drop(self, reset):
        self.drops += 1
        for link in list(self.links):
            link.end(reset)
        await asyncio.sleep(0)

    def _accept(self):
        # By hand: a server of asyncio that is closed loses what it was accepting, neither served nor closed.
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        self.accepted += 1
        task = self.loop.create_task(self._relay(connection, self.drops))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _relay(self, connection, drops):
        reader, writer = await asyncio.open_connection(sock=connection)
        link = Link(self, reader, writer)
        if drops != self.drops:
            link.end(True)
            return
        self.links.add(link)
        try:
            await link.run()
        finally:
            link.end(False)
            self.links.discard(link)


class Link:
    """One connection and its other half."""

    def __init__(self, relay, reader, writer):
        self.relay = relay
        self.client = (reader, writer)
        self.server = None
        self.generation = relay.generation
        self.passed = 0
        # Set when it has been silenced.
        self.is_silent = False

    async def run(self):
        if not self.relay.fault.hang:
            try:
                self.server = await asyncio.open_connection(*self.relay.target)
            except OSError:
                # As slapd would refuse, as far as that can still be shown.
                self.end(True)
                return
        pumps = [asyncio.create_task(self._ask())]
        if self.server:
            pumps.append(asyncio.create_task(self._answer()))
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()

    async def _ask(self):
        reader = self.client[0]
        try:
            while data := await reader.read(PIECE):
                if self.relay.fault.hang or self.is_silent or not self.server:
                    continue
                self.server[1].write(data)
                await self.server[1].drain()
        except OSError:
            pass

    async def _answer(self):
        reader = self.server[0]
        # Read at once and passed on when due, so that a delay is one for the client only.
        pieces = asyncio.Queue()
        reading = asyncio.create_task(self._read(reader, pieces))
        try:
            while True:
                due, data = await pieces.get()
                await asyncio.sleep(due - self.relay.loop.time())
                if not data:
                    break
                if not await self._pass(data):
                    break
            # What waits to be silent or hangs must not close when slapd does.
            if self.is_silent:
                await asyncio.Event().wait()
        except OSError:
            pass
        finally:
            reading.cancel()

    async def _read(self, reader, pieces):
        data = b"first"
        while data:
            try:
                data = await reader.read(PIECE)
            except OSError:
                data = b""
            pieces.put_nowait((self.relay.loop.time() + self.relay.fault.delay, data))

    async def _pass(self, data):
        """Hands on what the fault lets through; false when the connection is to end."""
        relay = self.relay
        if self.generation != relay.generation:
            self.generation = relay.generation
            self.passed = 0
        fault = relay.fault
        if fault.hang:
            self.is_silent = True
        if self.is_silent:
            return True
        is_over = fault.after is not None and self.passed + len(data) > fault.after and fault.times != 0
        if is_over:
            data = data[:fault.after - self.passed]
        self.passed += len(data)
        if data:
            self.client[1].write(data)
            await self.client[1].drain()
        if not is_over:
            return True
        if fault.times is not None:
            fault.times -= 1
        relay.cuts += 1
        if fault.then == "stall":
            self.is_silent = True
            return True
        if fault.then == "reset" and data:
            # A reset throws away what the client has not read yet: let it have what was to get through.
            await asyncio.sleep(0.05)
        self.end(fault.then == "reset")
        return False

    def end(self, reset):
        for side in [self.client, self.server]:
            if side is None:
                continue
            handle = side[1].get_extra_info("socket")
            if reset and handle is not None and handle.fileno() >= 0:
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side[1].transport.abort()
            else:
                side[1].close()


# MARK: The command

# A line is a word and its numbers; each is answered by a line of JSON.
COMMANDS = {
    "heal": (), "refuse": (), "hang": (), "drop": (), "cut": (int, int), "close": (int, int), "stall": (int, int),
    "delay": (float,), "status": (),
}


def obey(relay, line):
    """Carries out one line, such as `cut 20` (each connection after 20 octets) or `cut 20 1` (only one connection)."""
    word, *numbers = line.split()
    if word not in COMMANDS or len(numbers) > len(COMMANDS[word]):
        raise ValueError(f"unknown command {line.strip()!r}; there are: {', '.join(COMMANDS)}")
    values = [kind(text) for kind, text in zip(COMMANDS[word], numbers)]
    if word == "close":
        relay.cut(*values, reset=False)
    elif word != "status":
        getattr(relay, word)(*values)


def status(relay):
    return {
        "uri": relay.uri, "port": relay.port, "accepted": relay.accepted, "open": relay.open, "cuts": relay.cuts}


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Relay TCP connections, with faults on demand, until input closes.")
    parser.add_argument("--to", required=True, metavar="HOST:PORT")
    given = parser.parse_args(arguments)
    host, port = given.to.rsplit(":", 1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with Relay((host, int(port))) as relay:
        print(json.dumps(status(relay)), flush=True)
        for line in sys.stdin:
            if not line.strip():
                continue
            try:
                obey(relay, line)
                print(json.dumps(status(relay)), flush=True)
            except (ValueError, TypeError) as error:
                print(json.dumps({"error": str(error)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
