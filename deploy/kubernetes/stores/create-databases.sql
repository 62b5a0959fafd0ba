-- Runs once, on an empty volume. Two databases: no statement can join across the services.
CREATE DATABASE catalog_command;
CREATE DATABASE catalog_query;
