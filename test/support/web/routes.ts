import type { Express } from 'express';
import { type Rule, ruleOf } from '../../../src/web/access/user';

interface Layer {
  readonly route?: {
    readonly path: string;
    readonly stack: readonly { readonly method: string; readonly handle: unknown }[];
  };
  readonly handle: unknown;
}

export interface FoundRoute {
  readonly route: string;
  /** Null where no handler of the route is a guard. */
  readonly rule: Rule | null;
}

/** Every route of an application, those of routers inside routers too, each with the rule of its first handler. */
export function routesOf(app: Express): FoundRoute[] {
  const walk = (stack: readonly Layer[]): FoundRoute[] =>
    stack.flatMap(({ route, handle }) => {
      if (route !== undefined) {
        const [first] = route.stack;
        return first === undefined
          ? []
          : [{ route: `${first.method.toUpperCase()} ${route.path}`, rule: ruleOf(first.handle) }];
      }
      const inner = (handle as { stack?: readonly Layer[] }).stack;
      return inner === undefined ? [] : walk(inner);
    });
  return walk((app as unknown as { router: { stack: readonly Layer[] } }).router.stack);
}
