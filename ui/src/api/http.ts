// Requests to our own server. The session is a cookie that scripts cannot read; the header tells the server that a page of
// ours asks, not another site's.

export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

interface KubeStatus {
  reason?: string;
  message?: string;
}

type SignedOut = () => void;
let signedOut: SignedOut = () => {};

// What to do when the server does not know us any more.
export function onSignedOut(handler: SignedOut): void {
  signedOut = handler;
}

export async function request<T>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<T> {
  const response = await send(method, path, body, type);
  if (response.status === 204) return undefined as T;
  if (response.ok) return (await response.json()) as T;
  throw await errorOf(response);
}

// A page of a list whose server says how many there are. filling: the inventory has not loaded the provider yet.
export interface Page<T> {
  items: T[];
  total: number;
  filling: boolean;
}

export async function requestPage<T>(path: string): Promise<Page<T>> {
  const response = await send('GET', path);
  if (!response.ok) throw await errorOf(response);
  if (response.status === 206) return { items: [], total: 0, filling: true };
  const items = (await response.json()) as T[];
  return { items, total: Number(response.headers.get('X-Total-Count') ?? items.length), filling: false };
}

export async function text(path: string): Promise<string> {
  const response = await send('GET', path);
  if (response.ok) return response.text();
  throw await errorOf(response);
}

const patience_ms = 60_000;

async function send(method: string, path: string, body?: unknown, type?: string): Promise<Response> {
  const headers: Record<string, string> = { 'X-Gantry-Console': '1', Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = type ?? 'application/json';
  const response = await fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(patience_ms),
  });
  if (response.status === 401 && path !== '/login') signedOut();
  return response;
}

async function errorOf(response: Response): Promise<HttpError> {
  let status: KubeStatus = {};
  try {
    status = (await response.json()) as KubeStatus;
  } catch {
    // Not a Status document: the status line has to do.
  }
  return new HttpError(response.status, status.reason ?? '', status.message || `${response.status} ${response.statusText}`);
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
