"""A login to vCenter: renewed when the session has ended, and never tried twice with a password that was refused."""
import pytest
from probing import Probe, Refused


@pytest.fixture(name="fresh")
def start_fresh_probe(binaries, vcenter):
    """One that has not logged in yet; what the vCenter has noted begins with it."""
    vcenter.forget()
    made = Probe(binaries / "tests/source/source-probe", vcenter)
    yield made
    vcenter.lift()
    made.close()


def logins(vcenter):
    return [login["ok"] for login in vcenter.log()["logins"]]


def look(probe, vcenter):
    return probe("snapshots", vcenter.vms["new"])["snapshots"]


def test_a_login_whose_answer_is_lost_is_no_wrong_password(fresh, vcenter):
    vcenter.fault("login-torn")
    with pytest.raises(Refused) as lost:
        look(fresh, vcenter)
    assert lost.value.error_class == "transient"
    assert look(fresh, vcenter) == [] and logins(vcenter) == [True, True]


def test_a_session_that_is_said_to_have_ended_is_renewed_also_while_it_lives(fresh, vcenter):
    look(fresh, vcenter)
    vcenter.fault("forget-session", match="RetrieveProperties")
    assert look(fresh, vcenter) == [] and logins(vcenter) == [True, True]


def test_a_session_that_has_ended_is_renewed(fresh, vcenter):
    look(fresh, vcenter)
    vcenter.fault("expire-sessions")
    assert look(fresh, vcenter) == [] and logins(vcenter) == [True, True]


def test_a_password_that_no_longer_holds_is_tried_once(fresh, vcenter):
    look(fresh, vcenter)
    vcenter.fault("login-refuse", count=-1)
    vcenter.fault("expire-sessions")
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            look(fresh, vcenter)
        assert refused.value.reason == "ConnectionAuthFailed" and "tried once" in str(refused.value)
    assert logins(vcenter) == [True, False]
