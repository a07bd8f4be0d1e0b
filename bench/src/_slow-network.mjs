import { slowNetwork } from '../../scripts/slow-network.mjs';

/** A slow network in a process of its own, so that neither side's work delays it: port and round trip are its arguments. */
const [port, roundTripMs] = process.argv.slice(2).map(Number);
const network = await slowNetwork(port, roundTripMs);
process.send({ port: network.port });
process.once('disconnect', () => process.exit(0));
