"""A connection between a program and a server that can be slow, and that can be cut."""

import socket
import threading
import time


class Proxy:
    """Passes bytes between clients and a server, until it is told to cut."""

    def __init__(self, port):
        self.upstream = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.uri = f"mongodb://127.0.0.1:{self.port}"
        self.lock = threading.Lock()
        self.open = set()
        self.cut_after = None  # bytes until everything that is open is cut, once
        self.cuts = 0
        self.bytes_per_second = None  # of each direction of each connection; None: unlimited
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream), 2)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source, target):
        try:
            while data := source.recv(65536):
                if self._counts_down(len(data)):
                    self.cut()
                    return
                if self.bytes_per_second:
                    time.sleep(len(data) / self.bytes_per_second)
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _counts_down(self, size):
        with self.lock:
            if self.cut_after is None:
                return False
            self.cut_after -= size
            if self.cut_after > 0:
                return False
            self.cut_after = None
            return True

    def cut(self):
        with self.lock:
            self.cuts += 1
            doomed, self.open = self.open, set()
        for end in doomed:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


def port_of(server):
    return int(server.uri.rsplit(":", 1)[1])
