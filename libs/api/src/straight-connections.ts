import type { Server } from "node:http";
import type { Socket } from "node:net";
import {
	StraightConnection,
	type StraightServer,
} from "./straight-connection.js";

const LOOK_AFTER_MS = 500;

/**
 * From now on the server's connections are read by StraightConnection first. What it leaves is given to the listener by which Node
 * makes connections speak HTTP; whoever closes the server's connections closes these too.
 */
export function readFirst(
	server: Server,
	straight: Pick<StraightServer, "path" | "arrived" | "answered">,
): void {
	const speakHttp = server.listeners("connection");
	server.removeAllListeners("connection");
	const ours: StraightServer = {
		...straight,
		headersMs: server.headersTimeout,
		keepAliveMs: server.keepAliveTimeout,
		listening: () => server.listening,
		brokenOff(socket) {
			const error = Object.assign(new Error("The body ended too early."), {
				code: "HPE_INVALID_EOF_STATE",
			});
			if (!server.emit("clientError", error, socket)) socket.destroy();
		},
		takeOver(socket, bytes) {
			// Paused, or the bytes would be read only when more come.
			socket.pause();
			if (bytes.length > 0) socket.unshift(bytes);
			for (const listener of speakHttp) listener.call(server, socket);
			socket.resume();
		},
	};
	const open = new Map<Socket, StraightConnection>();
	server.on("connection", (socket: Socket) => {
		open.set(socket, new StraightConnection(socket, ours));
		socket.once("close", () => open.delete(socket));
	});

	const looking = setInterval(() => {
		const now = performance.now();
		for (const connection of open.values()) connection.lookAfter(now);
	}, LOOK_AFTER_MS).unref();
	server.once("close", () => clearInterval(looking));

	const closeIdle = server.closeIdleConnections.bind(server);
	server.closeIdleConnections = () => {
		for (const connection of open.values()) connection.closeIfIdle();
		closeIdle();
	};
	const closeAll = server.closeAllConnections.bind(server);
	server.closeAllConnections = () => {
		for (const socket of open.keys()) socket.destroy();
		closeAll();
	};
}
