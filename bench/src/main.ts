process.stderr.write('no benchmark is written yet\n')
process.exitCode = 1
