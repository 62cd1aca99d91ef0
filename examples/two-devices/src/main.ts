process.stderr.write('this example is not written yet\n')
process.exitCode = 1
