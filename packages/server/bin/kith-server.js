#!/usr/bin/env node
// A committed file, so that installing a fresh clone can link it before anything is built.
import '../dist/main.js'
