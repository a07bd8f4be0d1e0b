/** What members said they have, until the next sweep writes it down: a receipt that is lost only keeps a frame for longer. */
export class Receipts {
  readonly #rooms = new Map<string, Map<string, number>>();

  add(room: string, seat: string, upTo: number): void {
    const seats = this.#rooms.get(room) ?? new Map<string, number>();
    this.#rooms.set(room, seats);
    seats.set(seat, Math.max(upTo, seats.get(seat) ?? 0));
  }

  /** Something else happened there that may let frames go. */
  touch(room: string): void {
    if (!this.#rooms.has(room)) this.#rooms.set(room, new Map());
  }

  rooms(): string[] {
    return [...this.#rooms.keys()];
  }

  /** Seats and places of a room, which is forgotten. */
  take(room: string): [seat: string, upTo: number][] {
    const seats = this.#rooms.get(room);
    this.#rooms.delete(room);
    return seats ? [...seats] : [];
  }
}
