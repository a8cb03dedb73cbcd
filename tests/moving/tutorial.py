"""The app that people move from: that of the differential test (tests/praetorian/app.py), which lets the
pages of any origin call it, as the tutorial's does, and takes all of passlib's schemes that lictor reads.

    python tutorial.py PORT      (environment: as for app.py)

It knows nothing of lictor.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "praetorian"))

from app import create_app  # noqa: E402
from flask_cors import CORS  # noqa: E402

SCHEMES = [
    "pbkdf2_sha512",
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "sha256_crypt",
    "sha512_crypt",
    "bcrypt",
    "bcrypt_sha256",
    "argon2",
    "scrypt",
]

if __name__ == "__main__":
    app = create_app(PRAETORIAN_HASH_ALLOWED_SCHEMES=SCHEMES)
    CORS(app)
    app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
