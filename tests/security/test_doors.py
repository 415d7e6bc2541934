"""Doors: what a stranger may see, and that no other site can act in an operator's name."""

import pytest

from tests.security.addresses import every_address

# Whoever has no session yet signs in here, sets the house up, or watches it from outside.
OPEN = {
    "/account/login/",
    "/account/inactive/",
    "/agent",
    "/health/",
    "/setup/x/",
    "/api/docs",
    "/api/openapi.json",
}
ABSENT = {404, 405}
REFUSED = {401, 403}


def _leads_to_sign_in(response) -> bool:
    return response.status_code == 302 and response["Location"].startswith(
        ("/account/login/", "/admin/login/?next=")
    )


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_sees_nothing_but_the_doors(stranger, method):
    shown = {}
    for address in every_address():
        response = getattr(stranger, method)(address)
        response.close()
        # A door tells a stranger no more than what is wrong with the knock.
        is_refused = address == "/api/enrol" and response.status_code == 400
        closed = (
            is_refused or response.status_code in ABSENT | REFUSED or _leads_to_sign_in(response)
        )
        if not closed and address not in OPEN:
            shown[address] = (response.status_code, response.get("Location", ""))

    assert shown == {}


def test_no_other_site_can_make_an_operator_act(client):
    accepted = {}
    for address in every_address():
        response = client.post(address, headers={"Origin": "https://elsewhere.example"})
        response.close()
        # The API asks for a key, which no browser sends by itself.
        if response.status_code not in {403, 404, 405} and not address.startswith("/api/"):
            accepted[address] = response.status_code

    assert accepted == {}
