import { Decoder, Encoder } from 'socket.io-parser';

/**
 * Longest text packet that is decoded, in UTF-16 units. The longest of the contract is a request of a few hundred. Socket.IO passes the
 * elements of an event on as arguments of a call, and 100 000 of them are more than the stack holds: the exception comes where nobody
 * catches it, and ends the process.
 */
const MAX_TEXT = 8192;
/** No event of the contract has more than one binary part. */
const MAX_ATTACHMENTS = 1;

/** Socket.IO's parser, as `parser` of its server: what no client of the contract sends is refused before it is decoded. */
export function boundedParser(refused: () => void): { Encoder: typeof Encoder; Decoder: new () => Decoder } {
  return {
    Encoder,
    Decoder: class extends Decoder {
      constructor() {
        super({ maxAttachments: MAX_ATTACHMENTS });
      }

      /** What it throws closes the connection. */
      override add(packet: unknown): void {
        if (typeof packet === 'string' && (packet.length > MAX_TEXT || namesNamespace(packet))) {
          refused();
          throw new Error('the packet is none of the contract');
        }
        super.add(packet);
      }
    },
  };
}

/**
 * There is one namespace, which has no name: Socket.IO would repeat the name of one that does not exist, as often as it is asked. A packet is its
 * type, the number of its attachments, then the name, which begins with a slash.
 */
const namesNamespace = (packet: string): boolean => /^\d(\d*-)?\//.test(packet);
