"""Fixtures of the mail tests."""

import pytest

import certificates


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The folder with the certificates."""
    directory = tmp_path_factory.mktemp("certificates")
    certificates.make(directory)
    return directory
