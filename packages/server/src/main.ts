#!/usr/bin/env node
process.stderr.write('kith-server is not written yet\n')
process.exitCode = 1
