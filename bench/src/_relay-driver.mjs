import { createHash, randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';

/**
 * Members of many rooms in one process, over raw WebSockets: Socket.IO's own client would cost more than what is measured.
 * Told what to do by messages of the parent process.
 */

const TEXT_HEADER = '451-["push",{"_placeholder":true,"num":0}]';
const BATCH_HEADER = '451-["batch"';
const ACK = '42["ack",';
/** As the SDK does it. */
const RECEIPT_EVERY_MS = 500;
/** Connections that ask for something at a time, where many rooms are made or entered. */
const AT_ONCE = 16;
/** Who has no seat is not let stay for long. */
const ROOMS_OF_A_MAKER = 100;

const id = (bytes, ...of) => createHash('sha256').update(of.join(' ')).digest().subarray(0, bytes).toString('base64url');

class Member {
  constructor(url, kind, run, room, number) {
    this.kind = kind;
    this.run = run;
    this.room = room;
    this.seat = createHash('sha256').update(`seat ${run} ${room} ${number}`).digest().subarray(0, 16);
    this.url = url;
    this.inFlight = 0;
    this.deliveries = 0;
    this.sent = 0;
    this.cursor = 0;
    this.confirmedAt = performance.now();
    this.bytes = 0;
    this.latencies = undefined;
    this.nextRequest = 0;
    this.replies = new Map();
    /** The connection was closed, by whomever. */
    this.cut = false;
  }

  connect() {
    return new Promise((resolve, reject) => {
      this.socket = new WebSocket(`${this.url.replace('http', 'ws')}/qsec2/?EIO=4&transport=websocket`, {
        perMessageDeflate: false,
      });
      this.socket.on('message', (data, binary) => this.message(data, binary, resolve));
      this.socket.on('error', reject);
      this.socket.on('close', () => {
        this.cut = true;
      });
    });
  }

  message(data, binary, connected) {
    if (binary) {
      this.batch(data);
      return;
    }
    const text = data.toString('latin1');
    if (text.startsWith(BATCH_HEADER)) return;
    if (text.startsWith(ACK)) {
      const { upTo } = JSON.parse(text.slice(ACK.length, -1));
      this.inFlight = this.sent - upTo;
      this.fill?.();
    } else if (text[0] === '0') this.socket.send('40');
    else if (text === '2') this.socket.send('3');
    else if (text.startsWith('40')) connected();
    else if (text.startsWith('43')) {
      const start = text.indexOf('[');
      this.replies.get(Number(text.slice(2, start)))?.(JSON.parse(text.slice(start))[0]);
    }
  }

  batch(data) {
    this.bytes += data.length;
    if (this.kind === 'bare') {
      this.deliveries++;
      // The sender's seat stands in front.
      if (data.compare(this.seat, 0, 16, 0, 16) === 0) {
        this.inFlight--;
        this.fill?.();
      } else if (this.latencies) this.latencies.push(performance.now() - data.readDoubleBE(16));
      return;
    }
    const count = data.readUInt16BE(12);
    this.deliveries += count;
    this.cursor = data.readUIntBE(6, 6);
    if (this.latencies) this.measure(data, count);
    const now = performance.now();
    if (now - this.confirmedAt >= RECEIPT_EVERY_MS) {
      this.confirmedAt = now;
      this.socket.send(`42["recv",{"upTo":${this.cursor}}]`);
    }
  }

  measure(data, count) {
    for (let i = 0, at = 14; i < count; i++) {
      const length = data.readUInt32BE(at + 45);
      if (data.compare(this.seat, 0, 16, at + 13, at + 29) !== 0)
        this.latencies.push(performance.now() - data.readDoubleBE(at + 49));
      at += 49 + length;
    }
  }

  request(event, payload) {
    const number = this.nextRequest++;
    this.socket.send(`42${number}${JSON.stringify([event, payload])}`);
    return new Promise((resolve) => this.replies.set(number, resolve));
  }

  get secrets() {
    return { room: id(16, 'room', this.run, this.room), token: id(32, 'token', this.run, this.room) };
  }

  create(capacity) {
    return this.request('create', { ...this.secrets, endToken: id(32, 'end'), capacity });
  }

  async join() {
    const room = this.secrets;
    const seat = { seat: this.seat.toString('base64url'), seatSecret: id(32, 'secret') };
    const reply = await this.request('join', { ...room, ...seat, ...(this.since && { since: this.since }) });
    if (!reply.ok) throw new Error(JSON.stringify(reply.error));
    this.epoch = reply.ok.epoch;
    return reply;
  }

  push(body) {
    this.sent++;
    this.inFlight++;
    this.socket.send(TEXT_HEADER);
    if (this.kind === 'bare') {
      // As many bytes on the wire as the other relay gets: its layout, with the seat in front.
      const bytes = Buffer.allocUnsafe(16 + body.length);
      this.seat.copy(bytes);
      body.copy(bytes, 16);
      this.socket.send(bytes);
      return;
    }
    const bytes = Buffer.allocUnsafe(23 + body.length);
    bytes.writeUInt16BE(1);
    bytes[2] = 0;
    this.seat.copy(bytes, 3, 0, 12);
    bytes.writeUInt32BE(this.sent, 15);
    bytes.writeUInt32BE(body.length, 19);
    body.copy(bytes, 23);
    this.socket.send(bytes);
  }

  close() {
    this.socket.terminate();
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const members = [];

const actions = {
  async open({ url, kind, rooms, size }) {
    const { run } = await actions.make({ url, kind, rooms, size });
    await actions.enter({ url, kind, rooms, size, run });
  },
  /** Makes rooms, over a few connections. */
  async make({ url, kind, rooms, size }) {
    const run = randomBytes(8).toString('hex');
    if (kind === 'bare') return { run };
    let made = 0;
    const work = async () => {
      while (made < rooms) {
        const maker = new Member(url, kind, run, 0, 0);
        await maker.connect();
        for (let i = 0; i < ROOMS_OF_A_MAKER && made < rooms; i++) {
          maker.room = made++;
          const { error } = await maker.create(Math.max(2, size));
          if (error) throw new Error(JSON.stringify(error));
        }
        maker.close();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return { run };
  },
  /** Everyone connects and joins, room by room. */
  async enter({ url, kind, rooms, size, run }) {
    for (let room = 0; room < rooms; room++) {
      const its = Array.from({ length: size }, (_, i) => new Member(url, kind, run, room, i));
      await Promise.all(its.map((member) => member.connect()));
      for (const member of its) await member.join();
      members.push(...its);
    }
  },
  /** One member of each of the rooms connects and joins, a few at a time. */
  async sit({ url, kind, run, rooms, number }) {
    const waiting = [...rooms];
    const next = async () => {
      for (let room = waiting.shift(); room !== undefined; room = waiting.shift()) {
        const member = new Member(url, kind, run, room, number);
        await member.connect();
        await member.join();
        members.push(member);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  },
  /** How many members have no connection any more. */
  async missing() {
    return { cut: members.filter(({ cut }) => cut).length, of: members.length };
  },
  /** From now on every member keeps `window` frames in flight. */
  async saturate({ payload, window }) {
    const body = randomBytes(payload);
    for (const member of members) {
      member.fill = () => {
        while (member.inFlight < window) member.push(body);
      };
      member.fill();
    }
  },
  async count() {
    return { deliveries: members.reduce((sum, { deliveries }) => sum + deliveries, 0) };
  },
  /** So many sends a second in all, evenly; times from a send to its arrival at the others. */
  async latency({ payload, rate, warmUpMs, forMs }) {
    const sendFor = async (ms) => {
      const began = performance.now();
      for (let sent = 0; performance.now() - began < ms; ) {
        while (sent < ((performance.now() - began) * rate) / 1000) {
          const body = Buffer.alloc(payload);
          body.writeDoubleBE(performance.now());
          members[sent++ % members.length].push(body);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      await sleep(300);
    };
    // What is compiled at first takes its time on both sides.
    await sendFor(warmUpMs);
    for (const member of members) member.latencies = [];
    await sendFor(forMs);
    const all = members.flatMap(({ latencies }) => latencies).sort((a, b) => a - b);
    return { p50: all[Math.floor(all.length * 0.5)], p99: all[Math.floor(all.length * 0.99)], samples: all.length };
  },
  /** One member sends to another, which reads, or stops reading. */
  async sendTo({ payload, total, reading }) {
    const [sender, reader] = members;
    const body = randomBytes(payload);
    const frames = Math.ceil(total / payload);
    if (!reading) reader.socket.pause();
    let offered = 0;
    const began = performance.now();
    while (offered < frames && performance.now() - began < 40_000) {
      while (sender.inFlight < 16 && offered < frames) {
        sender.push(body);
        offered++;
      }
      await sleep(1);
    }
    while (reading && sender.inFlight > 0) await sleep(1);
    return { offered: offered * payload };
  },
  async reconnect() {
    const since = members.map((member) => ({ epoch: member.epoch, seq: 0 }));
    for (const member of members) member.close();
    const began = performance.now();
    await Promise.all(
      members.map(async (member, i) => {
        member.deliveries = member.cursor = member.sent = member.inFlight = 0;
        member.since = since[i];
        await member.connect();
        await member.join();
      }),
    );
    return { ms: performance.now() - began };
  },
  /** Brings so many frames into the mailbox of each room, and everyone to the end of it. Nothing is confirmed, so that they stay there. */
  async fill({ payload, frames }) {
    const body = randomBytes(payload);
    const size = members.filter(({ room }) => room === 0).length;
    for (const member of members) {
      member.confirmedAt = Number.POSITIVE_INFINITY;
      member.fill = () => {
        while (member.inFlight < 256 && member.sent < frames / size) member.push(body);
      };
      member.fill();
    }
    while (members.some(({ cursor }) => cursor < frames)) await sleep(2);
    return { each: frames };
  },
  /** All members come back with nothing. Times from the first request to the last frame. */
  async replay({ each }) {
    const began = performance.now();
    await actions.reconnect();
    while (members.some(({ deliveries }) => deliveries < each)) await sleep(1);
    return { ms: performance.now() - began, delivered: members.length * each };
  },
  async close() {
    for (const member of members.splice(0)) member.close();
    await sleep(100);
  },
};

process.on('message', async ({ action, ...options }) => {
  try {
    process.send({ done: (await actions[action](options)) ?? {} });
  } catch (error) {
    process.send({ failed: error.stack });
  }
});
