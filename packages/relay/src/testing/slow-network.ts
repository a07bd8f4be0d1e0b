export { slowNetwork } from '../../../../scripts/slow-network.mjs';
