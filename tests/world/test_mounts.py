"""A warning, once, for a file on a network file system, unless it was turned off."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from gigq import Job, JobQueue
from gigq.store.engine.mounts import NETWORK, QUIET, kind_of, warn_of_network

MOUNTED = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
23 22 0:21 / /proc rw,relatime - proc proc rw
40 22 0:52 / /mnt/with\\040space rw,relatime shared:9 master:1 - nfs4 server:/export rw,vers=4.2
41 22 0:53 / /mnt/windows rw,noatime - 9p drvfs rw,dirsync
42 22 0:54 /sub /mnt/mac rw - fuse.sshfs user@host:/ rw
43 22 0:55 / /mnt/local rw shared:7 - fuseblk /dev/sdb1 rw

a line that is none
"""


@pytest.fixture
def mounted(tmp_path: Path) -> str:
    """A file like `/proc/self/mountinfo` on a machine with such file systems."""
    (tmp_path / "mountinfo").write_text(MOUNTED)
    return str(tmp_path / "mountinfo")


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ((254, 0), "ext4"),
        ((0, 52), "nfs4"),
        ((0, 53), "9p"),
        ((0, 54), "fuse.sshfs"),
        ((0, 55), "fuseblk"),
        ((0, 5), None),
        ((0, 99), None),
    ],
)
def test_the_kind_of_a_file_system_follows_from_its_device(device: tuple[int, int], kind: str | None) -> None:
    assert kind_of(os.makedev(*device), MOUNTED) == kind


@pytest.mark.parametrize("text", ["", "\n", " - ", "1 2 0:52 / - ", "1 2 0:52", "0:52 - nfs", "\0" * 100])
def test_a_table_of_mounts_that_cannot_be_read_says_nothing(text: str) -> None:
    assert kind_of(os.makedev(0, 52), text) is None


def test_there_is_one_warning_for_a_file_on_a_network_file_system(
    mounted: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        warn_of_network("/mnt/with space/once.db", os.makedev(0, 52), mounted)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("gigq.store", logging.WARNING)
    assert "'/mnt/with space/once.db' is on a network file system (nfs4)" in record.getMessage()


def test_the_warning_can_be_turned_off(
    mounted: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(QUIET, "ok")
    warn_of_network("/mnt/windows/quiet.db", os.makedev(0, 53), mounted)
    assert caplog.records == []


@pytest.mark.parametrize("device", [(254, 0), (0, 55), (0, 99)])
def test_there_is_no_warning_for_a_local_file(
    mounted: str, caplog: pytest.LogCaptureFixture, device: tuple[int, int]
) -> None:
    warn_of_network("/local.db", os.makedev(*device), mounted)
    assert caplog.records == []


def test_there_is_no_warning_on_a_system_that_does_not_list_its_mounts(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_network("/unknown.db", os.makedev(0, 52), "/nowhere/mountinfo")
    assert caplog.records == []


def test_there_is_no_warning_for_the_file_of_a_test(
    path: str, tmp_path: Path, queue: JobQueue, caplog: pytest.LogCaptureFixture
) -> None:
    if kind_of(os.stat(tmp_path).st_dev, Path("/proc/self/mountinfo").read_text()) in NETWORK:
        pytest.skip("the tests' folder is on a network file system")
    queue.submit(Job("job", "functions:nothing"))
    assert [record for record in caplog.records if record.name == "gigq.store"] == []
