"""Workers whose loop has a thread of its own, and pipes between a test and its jobs."""

from __future__ import annotations

import os
import threading

from gigq import Worker


class Running:
    """A worker whose loop has a thread of its own."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def stop(self) -> None:
        self.worker.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def _run(self) -> None:
        try:
            self.worker.start()
        except Exception as error:
            self.error = error


class Pipes:
    """Pipes between a test and a job in a worker's thread: the job reports that it has begun, the test lets it end."""

    def __init__(self) -> None:
        self._heard, self.tell = os.pipe()
        self.until, self._say = os.pipe()

    def wait_until_begun(self) -> None:
        assert os.read(self._heard, 1) == b"."

    def let_end(self) -> None:
        os.write(self._say, b".")

    def close(self) -> None:
        for each in (self._heard, self.tell, self.until, self._say):
            os.close(each)
