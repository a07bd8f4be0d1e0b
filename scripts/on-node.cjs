'use strict';

/*
 * `node scripts/on-node.cjs SCRIPT [ARGUMENT …]`: runs a script of this folder on a Node that the tools support: this one, or one that is
 * brought into the clone. CommonJS in old syntax, so that a Node that is too old for everything else can still say so.
 */

var path = require('path');

/** Below this the scripts themselves do not run. */
var OLDEST = [18, 0];

var script = process.argv[2];
var own = process.versions.node;
var wanted = require('../package.json').engines.node.replace('>=', '').split('.').map(Number);

if (isOlder(OLDEST)) {
  console.error('\n✖ Node ' + own + ' is too old, also to bring a newer one.');
  console.error('  Install Node ' + wanted.join('.') + ' or newer from https://nodejs.org and try again.');
  process.exit(1);
}
if (isOlder(wanted)) {
  require('./import.cjs')('./nodes.mjs').then((nodes) =>
    nodes.runOnSupported(path.join(__dirname, script), process.argv.slice(3)),
  );
} else {
  process.argv.splice(1, 2, path.join(__dirname, script));
  require('./import.cjs')('./' + script);
}

function isOlder(version) {
  var is = own.split('.').map(Number);
  return is[0] < version[0] || (is[0] === version[0] && is[1] < version[1]);
}
