import type { FastifyInstance } from "fastify";

const routes = new WeakMap<
	object,
	{ readonly method: string; readonly path: RegExp }[]
>();

/** Remembers every route that is added to `server` from now on, so that a wrong method can be told from a wrong path. */
export function rememberRoutes(server: FastifyInstance): void {
	const known: { method: string; path: RegExp }[] = [];
	routes.set(server.server, known);
	server.addHook("onRoute", ({ method, url }) => {
		const methods = Array.isArray(method) ? method : [method];
		for (const one of methods)
			known.push({ method: one, path: toPattern(url) });
	});
}

/** The methods that some route answers at `path`; none where there is no such path. */
export function allowedMethods(
	server: FastifyInstance,
	path: string,
): string[] {
	const found = (routes.get(server.server) ?? []).filter((route) =>
		route.path.test(path),
	);
	return [...new Set(found.map(({ method }) => method))].sort();
}

function toPattern(url: string): RegExp {
	const segments = url.split("/").map((segment) => {
		if (segment.startsWith(":")) return "[^/]+";
		return segment === "*"
			? ".*"
			: segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	});
	return new RegExp(`^${segments.join("/")}$`);
}
