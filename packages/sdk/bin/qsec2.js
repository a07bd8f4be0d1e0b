#!/usr/bin/env node
// Committed, unlike what is built: npm links a command at install, and only to a file that is there.
import '../dist/cli/main.js';
