"""A network between a client and a server, which can forget the connections through it.

After `forget`, the connections that exist then look open to both ends, but no byte arrives any more
and nobody gets a reset: as when a NAT gateway has dropped an idle connection. New connections work.
"""

from __future__ import annotations

import contextlib
import socket
import threading

_BLOCK = 1 << 16


class Network:
    """Forwards TCP connections from `port` of this machine to `target` (`host:port`)."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: set[socket.socket] = set()
        self._age = 0
        self._lock = threading.Lock()
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name="network", daemon=True).start()

    def forget(self) -> None:
        """Drop everything that existing connections send from now on."""
        with self._lock:
            self._age += 1

    def close(self) -> None:
        """End all connections."""
        self._listener.close()
        with self._lock:
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
                end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection(self._target)
                with self._lock:
                    age = self._age
                    self._ends |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(
                        target=self._forward, args=(source, sink, age), daemon=True
                    ).start()

    def _forward(self, source: socket.socket, sink: socket.socket, age: int) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(_BLOCK):
                if age == self._age:
                    sink.sendall(block)
        if age == self._age:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
