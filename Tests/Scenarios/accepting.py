"""A thread that accepts connections. It has ended before the descriptor of its listener is free: a thread that still accepts
on a number that another listener has got meanwhile takes connections that are that one's."""

import socket
import threading

from service import PATIENCE


class Acceptor:
    """Serves each connection of a listener in a thread of its own, `serve(connection)`, and closes it after. What `serve` raises
    when its peer goes away ends the connection, and nothing else."""

    def __init__(self, listener, serve):
        self.listener = listener
        self.serve = serve
        self.lock = threading.Lock()
        self.open = set()
        # Set when no more is served.
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def close(self):
        self.over.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(PATIENCE)
        if self.thread.is_alive():
            raise AssertionError("a listener that was shut down still accepts")
        self.listener.close()
        self.cut()

    def cut(self):
        """Ends all connections. Their threads close them."""
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except ConnectionAbortedError:
                continue
            except OSError:
                return
            with self.lock:
                self.open.add(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        try:
            self.serve(connection)
        except (OSError, EOFError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(connection)
            connection.close()
