<?php
// Makes hashes as PHP programs and Laravel do: reads a JSON list of [kind, password] from standard input, and
// writes the list of hashes. It knows nothing of lictor.

$hashes = [];
foreach (json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR) as [$kind, $password]) {
    $hash = match ($kind) {
        'bcrypt' => password_hash($password, PASSWORD_BCRYPT, ['cost' => 5]),
        // Laravel's own default.
        'bcrypt, 12' => password_hash($password, PASSWORD_BCRYPT, ['cost' => 12]),
        'argon2id' => password_hash($password, PASSWORD_ARGON2ID, ['memory_cost' => 1024, 'time_cost' => 2, 'threads' => 1]),
        'argon2id, as it comes' => password_hash($password, PASSWORD_ARGON2ID),
        'argon2i' => password_hash($password, PASSWORD_ARGON2I, ['memory_cost' => 1024, 'time_cost' => 3, 'threads' => 2]),
        // As older programs did with crypt.
        'bcrypt 2a' => crypt($password, '$2a$04$' . substr(strtr(base64_encode(random_bytes(18)), '+', '.'), 0, 22)),
        'bcrypt 2x' => crypt($password, '$2x$04$' . substr(strtr(base64_encode(random_bytes(18)), '+', '.'), 0, 22)),
        'sha256 crypt' => crypt($password, '$5$rounds=1234$' . bin2hex(random_bytes(6))),
        'sha512 crypt' => crypt($password, '$6$' . bin2hex(random_bytes(8))),
    };
    if (!password_verify($password, $hash)) {
        throw new Exception("PHP does not take its own hash: $kind");
    }
    $hashes[] = $hash;
}
echo json_encode($hashes, JSON_THROW_ON_ERROR);
