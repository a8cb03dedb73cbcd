// Owns a simulated lictor: sessions, rotation with its 30 s of grace, the names of the errors, and
// failures on demand. It has a clock of its own.

export interface Rules {
  access: number;
  refresh: number;
  early: number;
}

interface Row {
  user: number;
  jti: string;
  newest: number;
  previous: number | null;
  since: number;
  end: number;
  over: boolean;
}

interface Payload {
  id: number;
  jti: string;
  iat: number;
  exp: number;
  rf_exp: number;
  rls: string;
}

const GRACE = 30;
const AHEAD = 60;

export class Server {
  rules: Rules = { access: 900, refresh: 30 * 24 * 3600, early: 60 };
  roles = '';
  /** The prefix of the device values that it answers; null for an older server, which answers none. */
  device: string | null = 'device';
  active = true;
  exists = true;
  keyKnown = true;
  /** The `device` field of each request that had one. */
  devices: string[] = [];
  /** Every request that it received, as `METHOD /path`. */
  log: string[] = [];
  /** While set, answers instead of the endpoint. */
  instead: ((path: string) => Response | null) | null = null;
  tellsDate = false;
  /** Its clock minus the world's, in milliseconds. */
  skew = 0;
  readonly rows = new Map<string, Row>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get seconds(): number {
    return Math.floor((this.#now() + this.skew) / 1000);
  }

  count(request: string): number {
    return this.log.filter(line => line === request).length;
  }

  begin(user = 7): string {
    const jti = `session-${this.rows.size + 1}`;
    const now = this.seconds;
    const row = { user, jti, newest: now, previous: null, since: now, end: now + this.rules.refresh, over: false };
    this.rows.set(jti, row);
    return this.#issue(row, now);
  }

  endAll(): void {
    for (const row of this.rows.values()) row.over = true;
  }

  answer(method: string, path: string, headers: Headers, body: string): Response {
    this.log.push(`${method} ${path}`);
    const response = this.instead?.(path) ?? this.#route(method, path, headers, body);
    if (this.tellsDate) response.headers.set('Date', new Date(this.#now() + this.skew).toUTCString());
    return response;
  }

  #route(method: string, path: string, headers: Headers, body: string): Response {
    const bearer = headers.get('Authorization')?.replace('Bearer ', '') ?? '';
    switch (`${method} ${path}`) {
      case 'GET /api/health':
        return json({ status: 'ok' });
      case 'POST /api/login':
        return body.includes('"right"') ? json(this.#begun(body)) : refuse(401, 'AuthenticationError');
      case 'POST /api/registration':
        return body.includes('"email"') ? json({ message: 'look at your mail' }, 201) : json(this.#begun(body));
      case 'POST /api/reset_finalize':
        return bearer === 'mailed' ? json({ user: 'ada', ...this.#begun(body) }) : refuse(401, 'InvalidResetToken');
      case 'PUT /api/password':
        return this.#behind(bearer, row => {
          if (!body.includes('"right"')) return refuse(403, 'WrongPassword');
          this.endAll();
          return json({ message: 'changed', ...this.#begun(body, row.user) });
        });
      case 'DELETE /api/me':
        return this.#behind(bearer, () => (this.endAll(), json({ message: 'deleted' })));
      case 'POST /api/refresh':
        return this.#refresh(body);
      case 'POST /api/logout':
        return this.#behind(bearer, row => ((row.over = true), json({ message: 'logged out' })));
      case 'POST /api/logout/all':
        return this.#behind(bearer, () => (this.endAll(), json({ message: 'logged out everywhere' })));
      case 'POST /api/echo':
        return this.#behind(bearer, () => json({ body, type: headers.get('Content-Type') }));
      default:
        return this.#behind(bearer, () => json({ message: 'protected endpoint' }));
    }
  }

  // A value for each user, the newest first, at most four.
  #begun(body: string, user = body.includes('"bob"') ? 8 : 7): object {
    const { device: sent } = JSON.parse(body) as { device?: string };
    if (sent !== undefined) this.devices.push(sent);
    const access_token = this.begin(user);
    if (sent === undefined || this.device === null) return { access_token };
    const mine = `${this.device}-of-${user}`;
    const others = sent.split('.').filter(value => value !== '' && value !== mine);
    return { access_token, device: [mine, ...others].slice(0, 4).join('.') };
  }

  #refresh(token: string): Response {
    const payload = this.#read(token);
    if (payload instanceof Response) return payload;
    const now = this.seconds;
    if (now <= payload.exp - this.rules.early) return refuse(425, 'EarlyRefreshError');
    if (now > payload.rf_exp) return refuse(401, 'ExpiredRefreshError');
    const wrong = this.#wrong(payload);
    if (wrong !== null) return wrong;
    const row = this.rows.get(payload.jti)!;
    if (payload.iat >= row.newest) Object.assign(row, { newest: now, previous: payload.iat, since: now });
    else if (payload.iat !== row.previous || now - row.newest > GRACE) {
      row.over = true;
      return refuse(403, 'BlacklistedError');
    }
    return json({ access_token: this.#issue(row, row.newest) });
  }

  #behind(token: string, then: (row: Row) => Response): Response {
    if (token === '') return refuse(401, 'MissingToken');
    const payload = this.#read(token);
    if (payload instanceof Response) return payload;
    if (this.seconds > payload.exp) return refuse(401, 'ExpiredAccessError');
    return this.#wrong(payload) ?? then(this.rows.get(payload.jti)!);
  }

  #wrong(payload: Payload): Response | null {
    if (!this.exists) return refuse(401, 'MissingUserError');
    if (!this.active) return refuse(403, 'InvalidUserError');
    const row = this.rows.get(payload.jti);
    return row === undefined || row.over ? refuse(403, 'BlacklistedError') : null;
  }

  #read(token: string): Payload | Response {
    if (!this.keyKnown || token.split('.').length !== 3) return refuse(401, 'InvalidTokenHeader');
    const payload = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Payload;
    const message = 'failed to decode JWT token -- the token was issued in the future';
    return payload.iat > this.seconds + AHEAD ? json({ error: 'InvalidTokenHeader', message, status_code: 401 }, 401) : payload;
  }

  #issue(row: Row, iat: number): string {
    const exp = Math.min(iat + this.rules.access, row.end);
    return token({ id: row.user, jti: row.jti, iat, exp, rf_exp: row.end, rls: this.roles });
  }
}

export function token(payload: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(payload)}.signature`;
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}

export function refuse(status: number, error: string, headers: Record<string, string> = {}): Response {
  return json({ error, message: `because of ${error}`, status_code: status }, status, headers);
}
