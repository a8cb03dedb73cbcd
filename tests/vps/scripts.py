"""The scripts of the packages, run by a real systemd: an upgrade under load, removal, and the life of the
.rpm, which `rpm` installs into this Debian without its dependencies.
"""

from contextlib import contextmanager

UNITS = ["lictor.socket", "lictor.service", "lictor-backup.timer"]
# An emulated processor on a busy machine.
TIMEOUT = 900


@contextmanager
def requests(m):
    """Sends one request after the other, before the block, beside it and after it; each must be answered."""
    ask = "curl -fsS -m 250 -o /dev/null http://127.0.0.1:5000/api/"
    more = "[ ! -e /run/enough -o $n -lt 4 ]"
    load = f"n=0; while {more}; do {ask} || exit 1; n=$((n + 1)); touch /run/begun; done; echo $n"
    load = m.start("rm -f /run/enough /run/begun; " + load, timeout=10 * TIMEOUT)
    try:
        m.eventually("test -e /run/begun")
        yield
    finally:
        m.run("touch /run/enough")
    code, out, err = load.result(10 * TIMEOUT)
    assert code == 0 and int(out) > 3, f"{code} {out}{err}"


def words(m, command):
    """What it prints, word by word; its exit code does not matter."""
    return m.run(command, check=False).split()


def enable(m):
    """Everything that an administrator may enable."""
    # A service that has opened the port itself keeps the socket from it.
    m.run(f"systemctl stop lictor; systemctl enable --now {' '.join(UNITS)}", timeout=TIMEOUT)
    assert words(m, f"systemctl is-active {' '.join(UNITS)}") == ["active"] * 3


def gone(m):
    """Nothing of the package runs any more, and users and keys are kept."""
    assert words(m, f"systemctl is-active {' '.join(UNITS)}") == ["inactive"] * 3
    assert words(m, "ls /usr/bin/lictor /lib/systemd/system/lictor*") == []
    m.run("test -s /var/lib/private/lictor/lictor.db -a -s /var/lib/private/lictor/lictor.key")


def deb(m, package):
    """On a machine that has it, and this newer one."""
    enable(m)
    # An upgrade stops no unit for good, and starts none that the administrator has stopped.
    install(m, package)
    assert words(m, f"systemctl is-active {' '.join(UNITS)}") == ["active"] * 3
    m.run(f"systemctl stop {' '.join(UNITS)}", timeout=TIMEOUT)
    install(m, package)
    assert words(m, f"systemctl is-active {' '.join(UNITS)}") == ["inactive"] * 3
    assert words(m, "systemctl is-enabled lictor") == ["enabled"]
    enable(m)
    m.run("dpkg --remove lictor", timeout=TIMEOUT)
    gone(m)
    # As the first installation does, one after a removal starts the service.
    install(m, package)
    assert words(m, "systemctl is-active lictor") == ["active"]
    assert words(m, "ls /run/lictor.installed") == []
    m.run("dpkg --remove lictor", timeout=TIMEOUT)
    gone(m)


def install(m, package):
    m.run(f"dpkg --force-confold --install {package}", timeout=TIMEOUT)


def rpm(m, package):
    m.put("/root/lictor.rpm", package.read_bytes())
    m.run("rpm --nodeps -i /root/lictor.rpm", timeout=TIMEOUT)
    # Debian's presets enable everything; the administrator starts it.
    assert words(m, f"systemctl is-enabled {' '.join(UNITS)}") == ["disabled", "enabled", "disabled"]
    assert words(m, "systemctl is-active lictor") == ["inactive"]
    enable(m)
    process = "systemctl show --property=MainPID --value lictor"
    before = m.run(process)
    with requests(m):
        m.run("rpm --nodeps -U --replacepkgs /root/lictor.rpm", timeout=TIMEOUT)
    assert words(m, f"systemctl is-active {' '.join(UNITS)}") == ["active"] * 3
    assert m.run(process) != before, "the service was not restarted"
    m.run("rpm -e lictor", timeout=TIMEOUT)
    gone(m)
    assert words(m, "ls /etc/systemd/system/*.wants/lictor*") == []
