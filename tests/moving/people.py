"""The users of the Flask app: names in many scripts, odd passwords, hashes that passlib makes, gaps in ids.

`people()` makes the same list each time, except for salts. It knows nothing of lictor.
"""

import unicodedata
from typing import NamedTuple

from passlib import hash as passlib

COUNT = 200

# Few rounds, so that the tests are quick; a few schemes as passlib has them by default.
SCHEMES = {
    "pbkdf2_sha512": passlib.pbkdf2_sha512.using(rounds=1000),
    "pbkdf2_sha512, as it comes": passlib.pbkdf2_sha512,
    "pbkdf2_sha512 without a salt": passlib.pbkdf2_sha512.using(rounds=1, salt_size=0),
    "pbkdf2_sha256": passlib.pbkdf2_sha256.using(rounds=1000, salt_size=17),
    "pbkdf2_sha1": passlib.pbkdf2_sha1.using(rounds=1000, salt_size=64),
    "sha256_crypt": passlib.sha256_crypt.using(rounds=1000),
    "sha256_crypt, rounds not named": passlib.sha256_crypt.using(rounds=5000),
    "sha512_crypt": passlib.sha512_crypt.using(rounds=1001, salt_size=3),
    "sha512_crypt, rounds not named": passlib.sha512_crypt.using(rounds=5000),
    "sha512_crypt without a salt": passlib.sha512_crypt.using(rounds=1000, salt_size=0),
    "bcrypt 2a": passlib.bcrypt.using(rounds=4, ident="2a"),
    "bcrypt 2b": passlib.bcrypt.using(rounds=5, ident="2b"),
    "bcrypt 2y": passlib.bcrypt.using(rounds=4, ident="2y"),
    "bcrypt_sha256 v1 2a": passlib.bcrypt_sha256.using(rounds=4, version=1, ident="2a"),
    "bcrypt_sha256 v1 2b": passlib.bcrypt_sha256.using(rounds=4, version=1),
    "bcrypt_sha256 v2": passlib.bcrypt_sha256.using(rounds=4),
    "argon2id": passlib.argon2.using(memory_cost=1024, rounds=1, parallelism=2),
    "argon2i": passlib.argon2.using(type="I", memory_cost=256, rounds=2, parallelism=1),
    "argon2d": passlib.argon2.using(type="D", memory_cost=256, rounds=1, parallelism=4),
    "scrypt": passlib.scrypt.using(rounds=4, block_size=8),
    "scrypt, other parameters": passlib.scrypt.using(rounds=8, block_size=3, parallelism=2, salt_size=5),
}
# Slow, so only two people have each.
SLOW = {
    "argon2id, as it comes": passlib.argon2,
    "bcrypt, as it comes": passlib.bcrypt,
    "scrypt, as it comes": passlib.scrypt,
}

PASSWORDS = [
    "ten wooden lanterns",
    "",
    " ",
    "   two spaces before, and three after   ",
    "\u00a0no-break\u2003and wide spaces\u3000",
    "a",
    "password",
    "x" * 4096,
    "ab🦊é" * 1024,
    "🦊" * 64 + "!",
    "Ju\u0308rgen's decomposed mu\u0308sli",
    "J\u00fcrgen's composed m\u00fcsli",
    "\u1112\u1161\u11ab\u1100\u1173\u11af jamo",
    "q\u0323\u0307 two marks, q\u0307\u0323 in other order",
    "\u212bngstr\u00f6m and \ufb01ligree",
    "👩‍👩‍👧‍👦 🔑",
    "b" * 71,
    "c" * 72,
    "d" * 73,
    "e" * 71 + "\u00e9",
    "f" * 80,
    "a NUL at the end\0",
    "a NUL in\0side",
    "\0",
    "tab\tbell\a escape\x1b[31m delete\x7f",
    "lines\r\nend\n",
    "\ufeffmark",
    "right\u202eleft\u200b\u200d\ufffe",
    "пароль из букв",
    "סיסמה ארוכה",
    "كلمة السر ٣٤٥",
    "密码密码密码",
    "पासवर्ड ๓๔ รหัสผ่าน",
    "\uff21\uff22\uff23 wide",
    "\u0378\ue000\U000f0000",
    "'; DROP TABLE users; --",
    '{"$ne": null} %s %00 \\u0000 \\ "',
    "g" * 1024,
    "h" * 1025,
]

NAMES = [
    "ada", "Grace", "jürgen", "zoe\u0308", "Ёлка", "σοφία", "Ὀδυσσέας", "חנה", "فاطمة", "अदिति",
    "น้อง", "მარიამი", "Անահիտ", "花子", "ハナコ", "하나", "Łucja", "ñandú", "İpek", "straße",
    "o'neill", "x.y-z_", "ｗｉｄｅ", "ada+tag@example.org", "user@host.example", "ⵉⴷⵉⵔ",
]  # fmt: skip

# Names that lictor refuses, and the new ones that the administrator gives.
NEW_NAMES = {
    "Grace Brewster Hopper": "grace.hopper",
    "🦊": "fox",
    "ADA0": "ada-the-second",
    " Élise": "Élise",
    'Ada "Byron", Countess': "byron",
}

ROLES = ["user", "user", "user,editor", "", None, "operator", "user,team:b"]
ADMINISTRATORS = (0, 50)  # places in the list


class Person(NamedTuple):
    name: str
    password: str
    scheme: str
    hash: str
    roles: str | None
    active: bool | None
    email: str | None

    @property
    def new_name(self):
        """As lictor shows it: composed, and wide letters as ordinary ones (RFC 8265)."""
        narrow = (unicodedata.normalize("NFKC", c) if unicodedata.east_asian_width(c) == "F" else c for c in self.name)
        return NEW_NAMES.get(self.name) or unicodedata.normalize("NFC", "".join(narrow))

    @property
    def role_set(self):
        return set(filter(None, (self.roles or "").split(",")))

    def __repr__(self):
        return f"{self.name!r} ({self.scheme}, {self.password[:30]!r})"


def hashed(scheme, password):
    """The hash, or None if the scheme does not take this password."""
    try:
        return {**SCHEMES, **SLOW}[scheme].hash(password)
    except ValueError:  # a NUL
        return None


def people():
    schemes = list(SCHEMES)
    names = [f"{NAMES[i % len(NAMES)]}{i // len(NAMES)}" for i in range(COUNT)]
    names[-len(NEW_NAMES) :] = NEW_NAMES
    made = []
    turn = 0
    while len(made) < COUNT:
        i = len(made)
        # The lengths of both lists have no common factor, so all pairs come.
        scheme, password = schemes[turn % len(schemes)], PASSWORDS[turn % len(PASSWORDS)]
        turn += 1
        if 20 <= i < 26:
            scheme = list(SLOW)[i % len(SLOW)]
        if not (hash := hashed(scheme, password)):
            continue
        name = names[i]
        roles = "user,admin" if i in ADMINISTRATORS else ROLES[i % len(ROLES)]
        active = None if i == 7 else i % 13 != 8
        email = f"mail{i}@example.org" if i % 3 == 0 else None
        made.append(Person(name, password, scheme, hash, roles, active, email))
    return made


def near_misses(person, place):
    """Passwords that are almost the right one: all that are special to it, and a few of the others."""
    right = person.password
    special = [right.strip(), right.rstrip("\0"), right.split("\0")[0]]
    special += [unicodedata.normalize(form, right) for form in ("NFC", "NFD", "NFKC")]
    special += [right.encode()[:72].decode(errors="ignore"), right.replace("\u00a0", " ")]
    general = [right + "x", right[:-1], right.swapcase(), right + "\0", right + " ", "", right + "\u0301"]
    general = [general[(place + step) % len(general)] for step in (0, 3)]
    wrong = [text for text in dict.fromkeys([*special, *general]) if text != right]
    # The app's body limit, and passlib's.
    return [text for text in wrong if len(text) <= 4096]


def prepared(password):
    """The password as RFC 8265 prepares it (OpaqueString), or None if it refuses it."""
    text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    text = unicodedata.normalize("NFC", text)
    return text or None
