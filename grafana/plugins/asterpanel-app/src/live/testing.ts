/** The browser's stream of server-sent events; the test says what arrives. */
export class FakeEventSource {
  /** All that were opened, also those that were closed again. */
  static all: FakeEventSource[] = [];
  readyState = 0;
  private readonly listeners: Record<string, Array<(event: { data?: string }) => void>> = {};

  constructor(readonly url: string) {
    FakeEventSource.all.push(this);
  }

  /** Takes the place of the browser's; none is open. */
  static install(): void {
    FakeEventSource.all = [];
    Object.defineProperty(window, 'EventSource', { value: FakeEventSource, configurable: true });
  }

  /** Those that are open. */
  static get open(): FakeEventSource[] {
    return FakeEventSource.all.filter(({ readyState }) => readyState !== 2);
  }

  /** The one that was opened last. */
  static get latest(): FakeEventSource | undefined {
    return FakeEventSource.all[FakeEventSource.all.length - 1];
  }

  addEventListener(type: string, listener: (event: { data?: string }) => void): void {
    (this.listeners[type] ??= []).push(listener);
  }

  close(): void {
    this.readyState = 2;
  }

  /** An event arrives. */
  send(type: string, data: unknown): void {
    this.sendText(type, JSON.stringify(data));
  }

  /** An event arrives whose data are this text. */
  sendText(type: string, data: string): void {
    this.readyState = 1;
    this.listeners[type]?.forEach((listener) => listener({ data }));
  }

  /** The connection breaks; the browser tries again by itself. */
  breakOff(): void {
    this.readyState = 0;
    this.listeners.error?.forEach((listener) => listener({}));
  }

  /** The answer is an HTTP error, after which the browser does not try again. */
  refuse(): void {
    this.readyState = 2;
    this.listeners.error?.forEach((listener) => listener({}));
  }
}
