/** One call of a service, in types: what the generated services are made of. */
export interface Method<Request, Response> {
  readonly request: Request;
  readonly response: Response;
}

/** The types of a generated service, by the names of its calls. */
export type Methods<Service> = { readonly [Name in keyof Service]: Method<unknown, unknown> };
export type RequestOf<M> = M extends Method<infer Request, unknown> ? Request : never;
export type ResponseOf<M> = M extends Method<unknown, infer Response> ? Response : never;
