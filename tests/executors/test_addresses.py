"""Which addresses may be spoken to in plain text."""

import pytest

from orchestrator_py.errors import InputError
from orchestrator_py.executors.addresses import refuse_plain


@pytest.mark.parametrize(
    "address",
    [
        "tcp://127.0.0.1:8786",
        "127.9.9.9:1",
        "tcp://localhost:1",
        "tcp://[::1]:1",
        "tls://192.0.2.1:1",
        "wss://example.org:1",
        "inproc://a/b",
    ],
)
def test_this_machine_and_encrypted_addresses_are_fine(address: str) -> None:
    refuse_plain(address, "Scheduler", insecure=False)


@pytest.mark.parametrize(
    "address",
    ["tcp://192.0.2.1:8786", "10.0.0.1:1", "ws://192.0.2.1:1", "ucx://192.0.2.1:1", "tcp://[2001:db8::1]:1", "tcp://0.0.0.0:1", "tcp://:1"],
)
def test_others_are_refused_unless_somebody_takes_it_upon_himself(address: str) -> None:
    with pytest.raises(InputError, match="say --insecure"):
        refuse_plain(address, "Scheduler", insecure=False)
    refuse_plain(address, "Scheduler", insecure=True)


def test_what_is_no_address_is_said_to_be_none() -> None:
    with pytest.raises(InputError, match="no address"):
        refuse_plain("tcp://[::1", "Scheduler", insecure=False)
