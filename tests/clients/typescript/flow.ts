/** What a client of openapi-fetch does from the registration to the logout. check.py compares the requests. */
import assert from "node:assert/strict";
import process from "node:process";
import createClient from "openapi-fetch";
import type { components, paths } from "./lictor.js";

type Schemas = components["schemas"];
type Answer<T> = { data?: T; error?: Schemas["Error"]; response: Response };

const ada = { username: "ada", password: "ten wooden lanterns" };
const api = createClient<paths>({ baseUrl: process.env["LICTOR_URL"] ?? "" });
let token = "";
api.use({
  onRequest({ request }) {
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
});

function good<T>(answer: Answer<T>): T {
  if (answer.data === undefined) throw new Error(answer.error?.message ?? answer.response.statusText);
  return answer.data;
}

function refused(answer: Answer<unknown>, status: number, name: string): void {
  assert.equal(answer.error?.error, name);
  assert.equal(answer.error.status_code, status);
  assert.equal(answer.response.status, status);
}

const registered = good(await api.POST("/api/registration", { body: ada }));
// A server that confirms e-mail addresses answers with a message instead.
assert("access_token" in registered);
const first = registered.access_token;

const wrong = await api.POST("/api/login", { body: { ...ada, password: "ten wooden lamps" } });
refused(wrong, 401, "AuthenticationError");

const loggedIn = good(await api.POST("/api/login", { body: ada }));
const refreshed = good(await api.POST("/api/refresh", { body: loggedIn.access_token }));
token = refreshed.access_token;

const { sessions } = good(await api.GET("/api/sessions"));
assert.deepEqual(sessions.map((session) => session.current).sort(), [false, true]);
const other = sessions.find((session) => !session.current);
assert(other && other.seen === null && other.expires > other.created);
const ended = good(await api.DELETE("/api/sessions/{id}", { params: { path: { id: other.id } } }));
assert.equal(typeof ended.message, "string");

token = first;
refused(await api.GET("/api/sessions"), 403, "BlacklistedError");

token = refreshed.access_token;
good(await api.POST("/api/logout"));
refused(await api.GET("/api/sessions"), 403, "BlacklistedError");

/** What the types must refuse; never called. */
export async function mistakes(): Promise<void> {
  // @ts-expect-error: no such path
  await api.GET("/api/session-list");
  // @ts-expect-error: no such method
  await api.PUT("/api/login", { body: ada });
  // @ts-expect-error: the password is missing
  await api.POST("/api/login", { body: { username: "ada" } });
  // @ts-expect-error: a number for a name
  await api.POST("/api/login", { body: { ...ada, username: 5 } });
  // @ts-expect-error: the id is missing
  await api.DELETE("/api/sessions/{id}");
  // @ts-expect-error: `seen` can be null
  sessions[0]?.seen.toFixed();
  // @ts-expect-error: no such state
  await api.GET("/api/admin/users", { params: { query: { state: "asleep" } } });
}
