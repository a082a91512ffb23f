"""The use cases, plain functions over ports; none of them knows a store, a transport or a framework."""
