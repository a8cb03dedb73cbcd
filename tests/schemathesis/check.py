"""schemathesis makes requests of docs/openapi.json and sends them to the real lictor, in several configurations.
All its checks are on, and those of answers.py. Each operation must succeed at least once, and each link must lead
where the document says (follow.py).

    python3 -B check.py                      what tests/run does: the same requests each time
    python3 -B check.py --seed 7 --times 10  others, and ten times as many
    python3 -B check.py --only throttled     one configuration
    python3 -B check.py --untruths           documents with one untruth each: all must be found out

LICTOR_BIN names another binary.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import follow
import untruths
from answers import Document
from server import BINARY, Server
from world import World

HERE = Path(__file__).resolve().parent
# How often to ask again what has never succeeded: which generated requests are good is up to chance.
ROUNDS = 3
DOCUMENT = HERE.parents[1] / "docs" / "openapi.json"
EVERYTHING = ("examples", "coverage", "fuzzing", "stateful")
# A token can be refreshed at once, and lasts longer than a run.
SOON = ["--access-lifespan", "30m", "--early-refresh", "31m"]
MAIL = ["--mail", "dir:mails"]
# Nobody listens there: mails wait.
NO_MAIL_SERVER = ["--mail", "smtp://127.0.0.1:1"]
AUDIENCES = ["--audience", "shop", "--audience", "wiki"]
UNTHROTTLED = ["--throttle", "off"]
MAILED = ["finishRegistration", "checkRegistrationLink", "checkResetLink", "resetPassword"]
ASKED_BY_PROXIES = ["verify", "forwardAuth", "getBrowserSession", "listApps"]


@dataclasses.dataclass
class Configuration:
    flags: list
    registration: str = "open"
    with_admin: bool = True
    phases: tuple = EVERYTHING
    # Generated requests for each operation, and scenarios of several.
    examples: int = 4
    scenarios: int = 20
    # Follows the links of these operations alone (or of the others), and none that schemathesis guesses.
    links_of: tuple = ()
    only: tuple = ()
    leave_out: tuple = ()
    # What World needs to know.
    apart: bool = False
    factors: tuple = ("factor",)


CONFIGURATIONS = {
    "everything": Configuration([*SOON, *MAIL, *UNTHROTTLED, *AUDIENCES], examples=8, scenarios=20),
    # Each link of the document; bad requests would lead nowhere.
    "links of a new user": Configuration(
        [*SOON, *MAIL, *UNTHROTTLED], phases=("stateful",), scenarios=30, links_of=("adminAddUser",)
    ),
    "other links": Configuration(
        [*SOON, *NO_MAIL_SERVER, *UNTHROTTLED], phases=("stateful",), scenarios=60, links_of=("others", "adminAddUser")
    ),
    "confirmed addresses": Configuration(
        [*MAIL, *UNTHROTTLED],
        registration="email",
        phases=("coverage", "fuzzing"),
        only=("register", "login", "refresh", *MAILED, "requestReset", "adminSetEmail"),
    ),
    # Nobody can be mailed a token: there is no mail server.
    "invitations, mails that wait": Configuration(
        [*NO_MAIL_SERVER, *UNTHROTTLED],
        registration="invite",
        phases=("coverage", "fuzzing"),
        only=("register", "adminInvite", "adminListMails", "adminRetryMail", "adminDeleteMail", "adminGetTestMail"),
    ),
    "nobody may": Configuration(
        ["--require-second-factor", "all", "--reauthenticate", "1s", *UNTHROTTLED],
        registration="closed",
        phases=("fuzzing",),
        leave_out=MAILED,
        factors=("factor", "admin"),
    ),
    "throttled": Configuration(
        [*MAIL, "--trusted-proxy", "127.0.0.1"],
        phases=("fuzzing",),
        examples=60,
        only=("login", "openBrowserSession", "register", "requestReset", "changePassword", "protectedEndpoint"),
        apart=True,
    ),
    "apps behind a proxy": Configuration(
        [*UNTHROTTLED, "--access", str(HERE / "access.txt"), "--trusted-proxy", "127.0.0.1"],
        phases=("coverage", "fuzzing"),
        examples=20,
        only=ASKED_BY_PROXIES,
    ),
    "the first administrator": Configuration(
        [*UNTHROTTLED], with_admin=False, phases=("coverage", "fuzzing"), only=("setUp", "getConfig")
    ),
}


def run(configuration, document, seed, times, leave_out=()):
    """One run of schemathesis; returns its exit code, its output and its figures."""
    with tempfile.TemporaryDirectory(prefix="schemathesis-") as folder:
        flags = ["--registration", configuration.registration, *configuration.flags]
        server = Server(folder, flags, configuration.with_admin)
        with server.running():
            code, said, figures = ask(server, configuration, document, seed, times, leave_out)
        return code, said + (server.folder / "log").read_text(), figures


def ask(server, configuration, document, seed, times, leave_out):
    figures = server.folder / "figures.json"
    settings = {"document": str(document), "figures": str(figures), "world": world_of(server, configuration)}
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            *("--no-color", "--config-file", settings_file(server.folder, configuration, times)),
            *("run", document, "--url", server.url, "--seed", str(seed), "--phases", ",".join(configuration.phases)),
            *(flag for name in operations_of(configuration, document) for flag in ("--include-operation-id", name)),
            *(flag for name in (*configuration.leave_out, *leave_out) for flag in ("--exclude-operation-id", name)),
        ],
        # Whatever schemathesis keeps goes with the folder.
        cwd=server.folder,
        env={
            **os.environ,
            "LICTOR_BIN": BINARY,
            "PYTHONDONTWRITEBYTECODE": "1",
            "LICTOR_TEST_WORLD": json.dumps(settings),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, json.loads(figures.read_text()) if figures.exists() else {}


def world_of(server, configuration):
    """The arguments of World."""
    return {
        "url": server.url,
        "database": server.database,
        "mails": str(server.folder / "mails"),
        "registration": configuration.registration,
        "setup_token": server.setup_token,
        "apart": configuration.apart,
        "factors": configuration.factors,
    }


def follow_links(document, leave_out):
    """Follows each link once; returns what is wrong."""
    configuration = CONFIGURATIONS["other links"]
    with tempfile.TemporaryDirectory(prefix="links-") as folder:
        server = Server(folder, configuration.flags, configuration.with_admin)
        with server.running():
            world = World(**world_of(server, configuration))
            return list(follow.follow(Document(document.read_text()), world, leave_out))


def operations_of(configuration, document):
    """The operations that are asked; all, if there is none."""
    if not configuration.links_of:
        return configuration.only
    others, named = configuration.links_of[0] == "others", configuration.links_of[-1:]
    links = [link for link in Document(Path(document).read_text()).links() if (link[0] in named) != others]
    return sorted({name for source, _, _, target in links for name in (source, target)})


def settings_file(folder, configuration, times):
    """The settings of schemathesis for this run: those of all runs, and how much it makes."""
    text = f"hooks = {json.dumps(str(HERE / 'hooks.py'))}\n" + (HERE / "schemathesis.toml").read_text()
    text += f"\n[phases.fuzzing.generation]\nmax-examples = {configuration.examples * times}\n"
    text += f"\n[phases.stateful.generation]\nmax-examples = {configuration.scenarios * times}\n"
    if configuration.links_of:
        text += 'mode = "positive"\n\n[phases.stateful.inference]\nalgorithms = []\n'
    path = folder / "schemathesis.toml"
    path.write_text(text)
    return path


def all_of(configurations, document, seed, times, leave_out):
    """Runs these configurations, two at a time; returns what failed, and all figures together."""
    failed, total, checks = [], collections.defaultdict(collections.Counter), 0

    def one(name):
        begun = time.monotonic()
        code, said, figures = run(configurations[name], document, seed, times, leave_out)
        return name, code, said, figures, time.monotonic() - begun

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, code, said, figures, seconds in pool.map(one, configurations):
            print(f"{name}: {sum(figures.get('cases', {}).values())} requests in {seconds:.0f} s", flush=True)
            if code:
                failed.append(name)
                print(said, flush=True)
            if not figures:  # it did not even begin
                continue
            checks += figures["checks"]
            for kind in ("cases", "answers", "links"):
                total[kind].update(figures[kind])
    return failed, {**total, "checks": checks}


def ask_again(document, seed, leave_out, figures):
    """Asks what has never succeeded again, with other seeds. Returns what failed; adds to the figures."""
    failed = []
    for again in range(1, ROUNDS + 1):
        without = without_success(Document(document.read_text()), figures, leave_out)
        if not without:
            break
        # One operation alone may have no link to follow.
        only = dataclasses.replace(
            CONFIGURATIONS["everything"], only=tuple(sorted(without)), phases=("coverage", "fuzzing"), examples=30
        )
        more, found = all_of({"what never succeeded": only}, document, seed + again, 1, leave_out)
        failed += more
        figures["checks"] += found["checks"]
        for kind in ("cases", "answers", "links"):
            figures[kind].update(found.get(kind, {}))
    return failed


def without_success(document, figures, leave_out):
    """The operations that never succeeded."""
    succeeded = {answer.split()[0] for answer in figures["answers"] if int(answer.split()[1]) < 400}
    return {operation["operationId"] for _, _, operation in document.operations()} - succeeded - set(leave_out)


def links_of(document, leave_out):
    links = {(source, target) for source, _, _, target in document.links()}
    return {link for link in links if not {*link} & set(leave_out)}


def report(document, figures, leave_out):
    """Prints what was seen."""
    asked = {answer.split()[0] for answer in figures["answers"]}
    links = links_of(document, leave_out)
    followed = {tuple(link.split()) for link in figures["links"]}
    errors = {tuple(answer.split()[1:]) for answer in figures["answers"] if len(answer.split()) == 3}
    print(
        f"{len(asked)} operations, {sum(figures['cases'].values())} requests ({dict(figures['cases'])}), "
        f"{figures['checks']} checks, {len(links & followed)} of {len(links)} links followed "
        f"{sum(figures['links'].values())} times, {len({error for _, error in errors})} errors seen"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--only", action="append", choices=CONFIGURATIONS)
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    parser.add_argument("--leave-out", action="append", default=[], metavar="OPERATION")
    parser.add_argument("--figures", action="store_true", help="print how often each answer was seen")
    parser.add_argument("--untruths", action="store_true")
    asked = parser.parse_args()
    if asked.untruths:
        sys.exit(find_untruths(asked.document))
    configurations = {name: CONFIGURATIONS[name] for name in asked.only or CONFIGURATIONS}
    failed, figures = all_of(configurations, asked.document, asked.seed, asked.times, asked.leave_out)
    # One configuration alone cannot show all.
    if not asked.only:
        failed += ask_again(asked.document, asked.seed, asked.leave_out, figures)
        failed += follow_links(asked.document, asked.leave_out)
    if asked.figures:
        print(json.dumps(figures, indent=1, sort_keys=True))
    document = Document(asked.document.read_text())
    report(document, figures, asked.leave_out)
    if not asked.only:
        without = without_success(document, figures, asked.leave_out)
        failed += [f"the operation {name} never succeeded" for name in sorted(without)]
    for what in failed:
        print(f"failed: {what}")
    sys.exit(bool(failed))


def find_untruths(path):
    """Runs schemathesis with each untrue document, two at a time; returns how many it has not found out."""

    def one(untruth):
        name, text, operation, expected = untruth
        with tempfile.TemporaryDirectory(prefix="untruth-") as folder:
            document = Path(folder) / "openapi.json"
            document.write_text(text)
            configuration = dataclasses.replace(
                CONFIGURATIONS["everything"], only=(operation,), phases=("coverage", "fuzzing")
            )
            code, said, _ = run(configuration, document, seed=1, times=1)
        return name, code == 1 and expected in said, said

    missed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, found, said in pool.map(one, untruths.documents(path.read_text())):
            missed += not found
            print(f"{'found out' if found else 'NOT FOUND OUT'}: {name}", flush=True)
            if not found:
                print(said)
    return missed


if __name__ == "__main__":
    main()
