"""What there is before the move: the Flask app's users on PostgreSQL, the tokens that they have in hand,
and what the app says to right and wrong passwords.

It knows nothing of lictor.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2

from people import near_misses, people, prepared
from stage import Flask, free_port

GAP = 9  # after so many users comes one who is deleted later


def forms(password):
    """What lictor compares with an old hash: the password as it was typed, and prepared."""
    return {password, prepared(password)} - {None}


def each(call, items):
    """Calls with each item, several at once; pairs of the item and the result, in order."""
    items = list(items)
    with ThreadPoolExecutor(4) as pool:
        return list(zip(items, pool.map(call, items), strict=True))


class Origin:
    """The Flask app, and everything that it has given out. It is stopped, and its table stays as it is."""

    def __init__(self, directory, server, name):
        self.people = people()
        self.name = name
        self.url = server.url(name)
        self.flask = Flask(directory, self.url.replace("postgres://", "postgresql+psycopg2://"), free_port())
        self.ids = {}  # of all names
        self.gone = {}  # old and fresh tokens of users who are deleted before the move, by their names
        with self.flask.running(access="1s"):
            self.insert()
            # Old enough to be refreshed when they are used.
            self.old = self.tokens()
        with self.flask.running():
            self.fresh = self.tokens()
            self.verdicts = self.ask()
        self.leave()
        self.before = self.checksum()

    def execute(self, statement, *values, fetch=False):
        with closing(psycopg2.connect(self.url)) as database, database, database.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if fetch else None

    def insert(self):
        first = self.people[0]
        for place, person in enumerate(self.people):
            if place % GAP == 0:
                self.insert_one(f"gone{place}", first.hash, first.roles, None)
            self.insert_one(person.name, person.hash, person.roles, person.email)
        self.insert_one("gone-last", first.hash, first.roles, None)

    def insert_one(self, name, hash, roles, email):
        insert = "INSERT INTO users (username, password, roles, is_active, email) VALUES (%s, %s, %s, true, %s)"
        self.ids[name] = self.execute(insert + " RETURNING id", name, hash, roles, email, fetch=True)[0][0]

    def tokens(self):
        """Logs everybody in; the tokens by names."""
        found = {person.name: token for person, token in each(self.token, self.people)}
        for name in self.ids.keys() - found.keys():
            self.gone.setdefault(name, []).append(self.flask.login(name, self.people[0].password).token)
        return found

    def token(self, person):
        answer = self.flask.login(person.name, person.password)
        assert answer.status == 200, (person, answer)
        return answer.json["access_token"]

    def ask(self):
        """What the app says to passwords that are almost right: whether each of them logs in, by pairs of a
        name and the password. Also to the forms of them that lictor compares as well."""

        def verdict(pair):
            return self.flask.login(*pair).status == 200

        pairs = set()
        for place, person in enumerate(self.people):
            for wrong in near_misses(person, place):
                for form in forms(wrong):
                    pairs.add((person.name, form))
        return dict(each(verdict, pairs))

    def refused(self):
        """Pairs of a person and a password that must not log in."""
        for place, person in enumerate(self.people):
            for wrong in near_misses(person, place):
                # passlib refuses a NUL before bcrypt sees it. Other programs do not, and a hash does not tell
                # who made it: for lictor it ends the password, or goes on as bcrypt itself does.
                ends = person.scheme.startswith("bcrypt 2") and "\0" in wrong
                if not ends and not any(self.verdicts[person.name, form] for form in forms(wrong)):
                    yield person, wrong

    def leave(self):
        for person in self.people:
            self.execute("UPDATE users SET is_active = %s WHERE username = %s", person.active, person.name)
        for name in self.gone:
            self.execute("DELETE FROM users WHERE username = %s", name)

    def checksum(self):
        """Of the whole table, and of what counts its ids."""
        rows = "SELECT md5(string_agg(users::text, E'\\n' ORDER BY id)), count(*) FROM users"
        return self.execute(rows, fetch=True) + self.execute(
            "SELECT last_value, is_called FROM users_id_seq", fetch=True
        )
