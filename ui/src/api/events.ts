// The one stream of events from the server, opened again when it breaks or falls silent. Which page of a plan's VMs it tells is
// said beside it.
import type { AnyResource, Kind } from '../model/types';
import { changeView, session, type RowsView } from './cluster';
import type { Page, Store } from './store';

const silence_ms = 25_000; // the server beats every ten seconds
const first_wait_ms = 500;
const most_wait_ms = 15_000;
const patience_ms = 10_000;

// A server that takes requests and does not answer is as good as none.
const silent = (): Promise<never> => new Promise((_resolve, reject) => setTimeout(() => reject(new Error('silence')), patience_ms));

export class EventsConnection {
  private source: EventSource | undefined;
  private plan: string | undefined;
  private view: RowsView = {};
  private viewer: string | undefined; // how the server calls this stream
  private telling: string | undefined; // the viewer that is being told a view
  private untold = false; // another view came meanwhile
  private silence: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private open = false;

  constructor(
    private readonly store: Store,
    private readonly signedOut: () => void,
    private readonly make: (url: string) => EventSource = (url) => new EventSource(url),
    private readonly ask: () => Promise<unknown> = session,
    private readonly tell: (viewer: string, plan: string | undefined, view: RowsView) => Promise<unknown> = changeView,
  ) {}

  start(): void {
    if (this.open) return;
    this.open = true;
    this.connect();
  }

  stop(): void {
    this.open = false;
    this.drop();
    clearTimeout(this.retry);
  }

  // Whose VMs are wanted from now on, and which of them.
  look(plan: string | undefined, view: RowsView = {}): void {
    if (plan === this.plan && JSON.stringify(view) === JSON.stringify(this.view)) return;
    this.plan = plan;
    this.view = view;
    void this.tellView();
  }

  // One view after the other, so that the last one stays. A stream that has ended meanwhile is noticed by itself, and the next one
  // is told anew.
  private async tellView(): Promise<void> {
    const viewer = this.viewer;
    if (!viewer) return;
    this.untold = true;
    if (this.telling === viewer) return;
    this.telling = viewer;
    while (this.untold && this.viewer === viewer) {
      this.untold = false;
      await this.tell(viewer, this.plan, this.view).catch(() => {});
    }
    if (this.telling === viewer) this.telling = undefined;
  }

  // Tries again at once, as a person asked for it.
  retryNow(): void {
    this.tries = 0;
    if (this.open) this.connect();
  }

  private drop(): void {
    clearTimeout(this.silence);
    this.source?.close();
    this.source = undefined;
    this.viewer = undefined;
  }

  private connect(): void {
    this.drop();
    clearTimeout(this.retry);
    const source = this.make('/events');
    this.source = source;
    this.heard();
    source.onerror = () => source === this.source && this.broken();
    this.on<{ viewer: string }>(source, 'hello', ({ viewer }) => {
      this.tries = 0;
      this.viewer = viewer;
      if (this.plan) void this.tellView();
      this.store.hello();
    });
    this.on<AnyResource>(source, 'upsert', (object) => this.store.upsert(object, Date.now()));
    this.on<{ kind: Kind; name: string }>(source, 'remove', ({ kind, name }) => this.store.remove(kind, name));
    this.on<{ plan: string } & Page>(source, 'rows', ({ plan, ...page }) => this.store.setRows(plan, page, Date.now()));
    this.on<{ kind: Kind; reason: string; message: string }>(source, 'trouble', ({ kind, ...trouble }) => this.store.setTrouble(kind, trouble));
    this.on(source, 'synced', () => this.store.allTold());
    this.on(source, 'beat', () => {});
    this.on(source, 'signedout', () => {
      this.stop();
      this.signedOut();
    });
  }

  private on<T>(source: EventSource, event: string, handle: (data: T) => void): void {
    source.addEventListener(event, (message) => {
      if (source !== this.source) return;
      this.heard();
      handle(JSON.parse((message as MessageEvent<string>).data) as T);
    });
  }

  private heard(): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.broken(), silence_ms);
  }

  // The stream ended. A refusal looks the same to an EventSource, so who is signed in is asked for.
  private broken(): void {
    this.drop();
    this.store.lost(Date.now());
    if (!this.open) return;
    const wait = Math.min(most_wait_ms, first_wait_ms * 2 ** this.tries++);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.tryAgain(), wait);
  }

  private async tryAgain(): Promise<void> {
    try {
      const session = await Promise.race([this.ask(), silent()]);
      if (!this.open) return;
      if (session) {
        this.connect();
        return;
      }
      this.stop();
      this.signedOut();
    } catch {
      if (this.open) this.broken();
    }
  }
}
