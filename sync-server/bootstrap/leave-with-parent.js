// Loaded before the program by relay.js: ends it when the starting script disappears without passing a signal on
// (SIGKILL), so that no relay stays behind and holds the port and the data folder.

const drainMs = 10_000;

if (process.channel) {
	process.on('disconnect', () => {
		process.kill(process.pid, 'SIGTERM');
		setTimeout(() => process.exit(1), drainMs).unref();
	});
	// Listening must not keep the program alive, and children of the program are not to take the channel for theirs.
	process.channel.unref();
	delete process.env.NODE_CHANNEL_FD;
}
