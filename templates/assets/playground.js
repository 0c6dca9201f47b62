// The playground: a public client in the browser that shows every message of the code flow (RFC 6749, 7636, 9207;
// OpenID Connect Core). Tokens live in memory and, so that a reload keeps them, in this tab's sessionStorage. They are
// written to the page as text, never as markup.

const page = document.getElementById("playground");
const { issuer, clientId, redirectUri } = page.dataset;
const STORE = "portreeve-playground";
const $ = (id) => document.getElementById(id);

let metadata;
let keys;
let attempt; // the request before it is sent: verifier, state, nonce
let visit = JSON.parse(sessionStorage.getItem(STORE) ?? "null");

// Texts and bytes

const encoder = new TextEncoder();
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const bytesOf = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const digest = (name, text) => crypto.subtle.digest(name, encoder.encode(text));
const json = (value) => JSON.stringify(value, null, 2);
const lines = (parameters) => [...parameters].map(([name, value]) => `${name}=${value}`).join("\n");

function decode(token) {
  const [header, payload, signature] = token.split(".");
  const part = (text) => JSON.parse(new TextDecoder().decode(bytesOf(text)));
  return { header: part(header), claims: part(payload), signed: `${header}.${payload}`, signature: bytesOf(signature) };
}

/** What the times among `claims` mean on this person's clock, a line for each. */
const times = (claims) => ["auth_time", "iat", "nbf", "exp", "updated_at"]
  .filter((name) => Number.isFinite(claims[name]))
  .map((name) => `${name}: ${new Date(claims[name] * 1000).toLocaleString()}`)
  .join("\n");

// What is shown

function show(id, text) {
  $(id).textContent = text;
  $(id).closest(".step").classList.add("reached");
}

function showChecks(id, checks) {
  $(id).replaceChildren(...checks.map(({ passed, text }) => {
    const item = document.createElement("li");
    item.className = passed ? "passed" : "failed";
    item.textContent = `${passed ? "✓" : "✗"} ${text}`;
    return item;
  }));
  $(id).closest(".step").classList.add("reached");
}

function showToken(id, token) {
  const parts = token.split(".").map((text, index) => {
    const part = document.createElement("span");
    part.className = `part-${index + 1}`;
    part.textContent = (index ? "." : "") + text;
    return part;
  });
  $(id).replaceChildren(...parts);
}

function showProblem(text) {
  $("problem").textContent = text;
  $("problem").hidden = false;
}

function answerText({ status, challenge, body, text }) {
  const head = challenge ? `HTTP ${status}\nWWW-Authenticate: ${challenge}` : `HTTP ${status}`;
  const content = body ? json(body) : text;
  return content ? `${head}\n\n${content}` : head;
}

// What is sent

async function answerOf(response) {
  const text = await response.text();
  let body = null;
  try { body = JSON.parse(text); } catch { /* an empty or textual answer is shown as it is */ }
  return { status: response.status, challenge: response.headers.get("WWW-Authenticate"), body, text };
}

const post = async (url, parameters) =>
  answerOf(await fetch(url, { method: "POST", body: new URLSearchParams(parameters), credentials: "omit" }));

const userinfo = async () => answerOf(await fetch(metadata.userinfo_endpoint, {
  headers: { Authorization: `Bearer ${visit.tokens.access_token}` }, credentials: "omit",
}));

function save() {
  if (visit) sessionStorage.setItem(STORE, JSON.stringify(visit));
  else sessionStorage.removeItem(STORE);
}

// Step 1: the request

function authorizationRequest() {
  const request = new URLSearchParams({
    response_type: "code",
    response_mode: "query",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: $("scope").value.trim(),
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: attempt.challenge,
    code_challenge_method: "S256",
  });
  for (const name of ["resource", "prompt"]) {
    const value = $(name).value.trim();
    if (value) request.set(name, value);
  }
  return request;
}

const showRequest = () => { $("authorization-request").textContent = lines(authorizationRequest()); };

async function prepare() {
  const verifier = random();
  attempt = { verifier, state: random(), nonce: random(), challenge: base64url(await digest("SHA-256", verifier)) };
  $("authorization-endpoint").textContent = metadata.authorization_endpoint;
  $("step-request").classList.add("reached");
  showRequest();
  $("start").disabled = false;
}

function start(event) {
  event.preventDefault();
  const { verifier, state, nonce } = attempt;
  const url = new URL(metadata.authorization_endpoint);
  for (const [name, value] of authorizationRequest()) url.searchParams.set(name, value);
  const request = lines(authorizationRequest());
  visit = { verifier, state, nonce, request, resource: $("resource").value.trim(), scope: $("scope").value };
  save();
  location.assign(url);
}

// Step 2: the answer

function receive(response) {
  const known = visit && !visit.response ? visit : null;
  const checks = [
    { passed: known?.state === response.get("state"), text: "state is the one this tab sent" },
    { passed: response.get("iss") === issuer, text: "iss is the issuer the request went to (RFC 9207)" },
  ];
  show("callback", lines(response));
  showChecks("callback-checks", checks);
  if (checks.some(({ passed }) => !passed)) {
    showProblem("This answer does not belong to a request of this tab, so the app throws it away.");
    return false;
  }
  Object.assign(known, { response: [...response], checks });
  save();
  if (response.has("error")) {
    showProblem(`The server said no: ${response.get("error")}. ${response.get("error_description") ?? ""}`);
    return false;
  }
  return true;
}

// Step 3: the code

async function redeem(code) {
  const request = { grant_type: "authorization_code", code, redirect_uri: redirectUri, client_id: clientId, code_verifier: visit.verifier };
  if (visit.resource) request.resource = visit.resource;
  visit.tokenRequest = `POST ${metadata.token_endpoint}\n\n${lines(Object.entries(request))}`;
  show("token-request", visit.tokenRequest);
  const answer = await post(metadata.token_endpoint, request);
  visit.tokenResponse = answerText(answer);
  delete visit.verifier;
  if (answer.status === 200) visit.tokens = answer.body;
  save();
  show("token-response", visit.tokenResponse);
  if (answer.status !== 200) showProblem(`The code was not redeemed: ${answer.body?.error ?? answer.status}.`);
}

// Step 4: the tokens

const IMPORT = {
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
  Ed25519: { name: "Ed25519" },
};

/** Whether one of the issuer's published keys made the signature; throws where this browser lacks the algorithm. */
async function isSigned({ header, signed, signature }) {
  const algorithm = IMPORT[header.alg];
  const jwk = keys.find((key) => key.kid === header.kid && (!key.alg || IMPORT[key.alg]?.name === algorithm?.name));
  if (!algorithm || !jwk) return false;
  const { kty, crv, x, y, n, e } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y, n, e }, algorithm, false, ["verify"]);
  return crypto.subtle.verify({ name: algorithm.name, hash: "SHA-256" }, key, signature, encoder.encode(signed));
}

async function signatureCheck(name, token) {
  const text = `${name}: the ${token.header.alg} signature is by the issuer's key ${token.header.kid}`;
  try {
    return { passed: await isSigned(token), text };
  } catch (problem) {
    return { passed: false, text: `${name}: this browser cannot verify ${token.header.alg} (${problem.name})` };
  }
}

const listOf = (audience) => [audience].flat();
const now = () => Date.now() / 1000;

async function accessTokenChecks(token) {
  const { header, claims } = token;
  return [
    await signatureCheck("access token", token),
    { passed: header.typ === "at+jwt", text: "access token: typ is at+jwt, so it cannot pass for an ID token" },
    { passed: claims.iss === issuer, text: "access token: iss is the issuer" },
    { passed: claims.client_id === clientId, text: `access token: client_id is ${clientId}` },
    { passed: claims.exp > now(), text: "access token: not expired" },
  ];
}

async function idTokenChecks(token, accessToken) {
  const { header, claims } = token;
  const hashName = IMPORT[header.alg]?.name === "Ed25519" ? "SHA-512" : "SHA-256";
  const hash = await digest(hashName, accessToken);
  const checks = [
    await signatureCheck("ID token", token),
    { passed: claims.iss === issuer, text: "ID token: iss is the issuer" },
    { passed: listOf(claims.aud).includes(clientId), text: `ID token: aud is ${clientId}` },
    { passed: claims.exp > now(), text: "ID token: not expired" },
  ];
  // A refreshed ID token need not repeat the nonce (OpenID Connect Core §12.2); one that is there has to be right.
  if (!visit.refreshed || claims.nonce !== undefined) {
    checks.push({ passed: claims.nonce === visit.nonce, text: "ID token: nonce is the one this tab sent" });
  }
  if (claims.at_hash !== undefined) {
    const half = base64url(hash.slice(0, hash.byteLength / 2));
    checks.push({ passed: claims.at_hash === half, text: "ID token: at_hash belongs to this access token" });
  }
  return checks;
}

async function showTokens() {
  const { access_token: accessToken, id_token: idToken, refresh_token: refreshToken } = visit.tokens;
  const access = decode(accessToken);
  showToken("access-token", accessToken);
  show("access-token-header", json(access.header));
  show("access-token-claims", json(access.claims));
  show("access-token-times", times(access.claims));
  const checks = await accessTokenChecks(access);
  if (idToken) {
    const id = decode(idToken);
    showToken("id-token", idToken);
    show("id-token-header", json(id.header));
    show("id-token-claims", json(id.claims));
    show("id-token-times", times(id.claims));
    checks.push(...await idTokenChecks(id, accessToken));
  } else {
    for (const part of ["id-token", "id-token-header", "id-token-times"]) $(part).textContent = "";
    show("id-token-claims", "There is none: the scope openid was not granted.");
  }
  showChecks("verification", checks);
  for (const step of ["userinfo", "refresh", "revoke"]) $(`step-${step}`).classList.add("reached");
  $("call-userinfo").disabled = false;
  $("refresh").disabled = !refreshToken;
  $("revoke").disabled = false;
  if (!refreshToken) $("refresh-response").textContent = "There is no refresh token.";
}

// Steps 5 to 7: use, refresh, revoke

async function refresh() {
  const answer = await post(metadata.token_endpoint, {
    grant_type: "refresh_token", refresh_token: visit.tokens.refresh_token, client_id: clientId,
  });
  show("refresh-response", answerText(answer));
  if (answer.status !== 200) return;
  visit.tokens = { ...visit.tokens, ...answer.body };
  visit.refreshed = true;
  visit.tokenResponse = answerText(answer);
  save();
  await showTokens();
}

async function revoke() {
  const answer = await post(metadata.revocation_endpoint, {
    token: visit.tokens.access_token, token_type_hint: "access_token", client_id: clientId,
  });
  show("revoke-response", answerText(answer));
  const refused = await userinfo();
  show("revoked-userinfo-response", answerText(refused));
  if (answer.status === 200 && refused.status !== 401) showProblem("Userinfo still accepts the revoked token.");
}

/** Runs `work` with its button disabled, and says so when it fails. */
const onClick = (id, work) => $(id).addEventListener("click", async () => {
  $(id).disabled = true;
  try { await work(); } catch (problem) { showProblem(`That did not work: ${problem.message}`); }
  $(id).disabled = false;
});

async function load(url) {
  const response = await fetch(url, { credentials: "omit" });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

async function run() {
  metadata = await load(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (metadata.issuer !== issuer) throw new Error(`the metadata names the issuer ${metadata.issuer}`);
  ({ keys } = await load(metadata.jwks_uri));
  if (visit?.scope) $("scope").value = visit.scope;
  if (visit?.resource) $("resource").value = visit.resource;
  await prepare();
  // After the visit this is what was sent; a change of the form shows the next request again.
  if (visit?.request) $("authorization-request").textContent = visit.request;

  const response = new URLSearchParams(location.search);
  if (response.has("code") || response.has("error")) {
    history.replaceState(null, "", location.pathname); // a code has no place in the history
    const accepted = receive(response);
    $(accepted ? "step-callback" : "problem").scrollIntoView();
    if (accepted) await redeem(response.get("code"));
  } else if (visit?.response) {
    show("callback", lines(visit.response));
    showChecks("callback-checks", visit.checks);
    if (visit.tokenRequest) show("token-request", visit.tokenRequest);
    if (visit.tokenResponse) show("token-response", visit.tokenResponse);
  }
  if (visit?.tokens) await showTokens();
}

$("request-form").addEventListener("submit", start);
$("request-form").addEventListener("input", showRequest);
onClick("call-userinfo", async () => show("userinfo-response", answerText(await userinfo())));
onClick("refresh", refresh);
onClick("revoke", revoke);
onClick("again", () => {
  visit = null;
  save();
  location.assign(redirectUri);
});
run().catch((problem) => showProblem(`The playground cannot go on: ${problem.message}`));
