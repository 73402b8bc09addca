import { flatRoutes } from '@remix-run/fs-routes';
import type { RouteConfig } from '@remix-run/route-config';

// One file per URL in app/routes.
export default flatRoutes() satisfies RouteConfig;
