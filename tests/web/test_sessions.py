"""Sessions: found by their id, ended by idleness, bounded in number, silent about their secrets."""

from fleet.web.sessions import IDLE_S_MAX, SESSIONS_MAX, Sessions


def test_a_session_is_found_by_its_id_until_it_ends() -> None:
    sessions = Sessions()
    one = sessions.begin(0.0, trusted=True)
    assert sessions.find(one.id, 1.0) is one
    sessions.end(one)
    assert sessions.find(one.id, 2.0) is None


def test_an_idle_session_ends_and_a_used_one_does_not() -> None:
    sessions = Sessions()
    idle, used = sessions.begin(0.0, trusted=True), sessions.begin(0.0, trusted=True)
    assert sessions.find(used.id, IDLE_S_MAX - 1.0) is used
    assert sessions.find(idle.id, IDLE_S_MAX + 1.0) is None
    assert sessions.find(used.id, IDLE_S_MAX + 1.0) is used
    assert len(sessions) == 1


def test_of_too_many_the_longest_unused_one_ends() -> None:
    sessions = Sessions()
    first, second = sessions.begin(0.0, trusted=True), sessions.begin(0.0, trusted=True)
    sessions.find(first.id, 1.0)
    for _ in range(SESSIONS_MAX - 1):
        sessions.begin(2.0, trusted=False)
    assert len(sessions) == SESSIONS_MAX
    assert sessions.find(second.id, 3.0) is None
    assert sessions.find(first.id, 3.0) is first


def test_secrets_differ_and_are_not_shown() -> None:
    sessions = Sessions()
    one, other = sessions.begin(0.0, trusted=False), sessions.begin(0.0, trusted=False)
    assert len({one.id, one.proof, other.id, other.proof}) == 4
    assert one.id not in repr(one)
    assert one.proof not in repr(one)
    assert one.proves(one.proof)
    assert not one.proves(other.proof)


def test_those_that_came_back_outlast_those_that_never_did() -> None:
    sessions = Sessions()
    one = sessions.begin(0.0, trusted=True)
    sessions.find(one.id, 0.0)
    for _ in range(2 * SESSIONS_MAX):
        stranger = sessions.begin(1.0, trusted=False)
        sessions.find(stranger.id, 1.0)  # coming back does not help who is not trusted
    assert sessions.find(one.id, 2.0) is one
    assert len(sessions) == SESSIONS_MAX


def test_a_newcomer_gets_in_however_many_there_are() -> None:
    sessions = Sessions()
    for _ in range(2 * SESSIONS_MAX):
        one = sessions.begin(0.0, trusted=True)
        assert sessions.find(one.id, 0.0) is one
    assert len(sessions) == SESSIONS_MAX


def test_whoever_ends_says_so() -> None:
    sessions = Sessions()
    left, idle = sessions.begin(0.0, trusted=True), sessions.begin(0.0, trusted=True)
    sessions.end(left)
    assert left.over.is_set()
    assert not idle.over.is_set()
    sessions.expire(IDLE_S_MAX + 1.0)
    assert idle.over.is_set()
