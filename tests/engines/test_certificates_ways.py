"""Authorities that sign each other at random: our verdict is what the real restic does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from backups.engines.certificates import check, refusal
from tests.rig.certificate_bench import Bench
from tests.rig.certificate_oddities import raw
from tests.rig.certificates import Made, authority, ec_key, key_usage, make
from tests.rig.der import SEQUENCE, der

HOST = "localhost"
CHANCE = Random(5)


@dataclass(frozen=True)
class Web:
    """A leaf, what is sent with it in any order, and what the client trusts."""

    leaf: Made
    sent: list[Made]
    trusted: list[Made]

    @property
    def chain(self) -> str:
        return "".join(one.pem.decode() for one in (self.leaf, *self.sent))

    @property
    def roots(self) -> str:
        return "".join(one.pem.decode() for one in self.trusted)


def some_web() -> Web:
    """Few names and keys, so that renewed and crossed ones are among them."""
    keys = [ec_key() for _ in range(3)]
    everyone: list[Made] = []
    for _ in range(CHANCE.randrange(1, 6)):
        by = CHANCE.choice([None, *everyone, *everyone, *everyone])
        name, key = CHANCE.choice("ABC"), CHANCE.choice(keys)
        is_leaf = CHANCE.random() < 0.06
        made = make(name, by=by, key=key) if is_leaf else authority(name, by=by, key=key, **flaw())
        everyone.append(made)
    leaf = make(by=CHANCE.choice(everyone), names=(HOST,))
    sent = [one for one in everyone if CHANCE.random() < 0.8]
    CHANCE.shuffle(sent)
    trusted = [one for one in everyone if CHANCE.random() < 0.4]
    return Web(leaf, sent, trusted or [CHANCE.choice(everyone)])


def flaw() -> dict[str, object]:
    """Half of the authorities have one."""
    name = CHANCE.choice([b"localhost", b"example.org"])
    tree = der(CHANCE.choice([0xA0, 0xA1]), der(SEQUENCE, der(0x82, name)))
    purpose = CHANCE.choice([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    flaws: list[dict[str, object]] = [
        {"days": (-900, -1)},
        {"days": (3, 400)},
        {"path_length": CHANCE.randrange(2)},
        {"usage": key_usage(digital_signature=True)},
        {"more": [raw("2.5.29.30", der(SEQUENCE, tree), critical=True)]},
        {"more": [(x509.ExtendedKeyUsage([purpose]), False)]},
    ]
    return CHANCE.choice(flaws) if CHANCE.random() < 0.5 else {}


WEBS = [some_web() for _ in range(60)]


@pytest.fixture(scope="module")
def outcomes(bench: Bench) -> list[str]:
    def try_out(number: int) -> str:
        web = WEBS[number]
        files = (web.chain.encode(), web.leaf.key_pem(), web.roots.encode())
        return bench.outcome(f"web-{number}", *files, HOST)[0]

    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(try_out, range(len(WEBS))))


@pytest.mark.parametrize("number", range(len(WEBS)))
def test_a_way_is_found_where_restic_finds_one(outcomes: list[str], number: int) -> None:
    web = WEBS[number]

    reason = refusal(web.chain, web.roots, [HOST])

    assert bool(reason) == (outcomes[number] == "is refused"), reason


@pytest.mark.parametrize("number", range(len(WEBS)))
def test_what_works_has_no_error(outcomes: list[str], number: int) -> None:
    web = WEBS[number]
    files = [web.chain.encode(), web.leaf.key_pem()]

    checked = check(files, names=[HOST], anchors=[web.roots])

    assert outcomes[number] == "is refused" or checked.errors == ()


def test_there_are_enough_of_either() -> None:
    refused = [bool(refusal(web.chain, web.roots, [HOST])) for web in WEBS]

    assert 15 < sum(refused) < 45
