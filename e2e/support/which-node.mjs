import { execFileSync } from 'node:child_process';

/** Prints the Node that runs this, the one of its path, and the arguments; then ends as it is told. */
const [code = '0', ...rest] = process.argv.slice(2);
console.log(JSON.stringify([process.version, execFileSync('node', ['--version'], { encoding: 'utf8' }).trim(), rest]));
process.exit(Number(code));
